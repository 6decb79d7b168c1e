"""The programs' logs, read some lines at a time."""

from pathlib import Path

from infra.audit.logs import PAGE_MAX_CHARACTERS, pages_of
from infra.audit.rules.secrecy import no_card_in_log

LINE = f'{{"message": "{"placed " * 140}"}}\n'


def test_every_line_of_every_log_is_read_and_numbered(tmp_path: Path) -> None:
    """Over many pages, in the part that was cut off too, and past bytes that are no text."""
    before = 3 * PAGE_MAX_CHARACTERS // len(LINE)
    (tmp_path / "order.log").write_text(LINE * before + "card 4111111111111111\n" + LINE)
    (tmp_path / "payment.log.1").write_bytes(b"\xff\xfe\n378282246310005\n")
    (tmp_path / "notes.txt").write_text("4111111111111111")
    pages = list(pages_of(tmp_path))
    assert len(pages) > 3
    assert [(page.file, how) for page in pages for how in no_card_in_log(page)] == [
        ("order.log", f"a card number is in line {before + 1}"),
        ("payment.log.1", "a card number is in line 2"),
    ]
