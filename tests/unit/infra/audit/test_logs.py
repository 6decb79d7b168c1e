"""The programs' logs, read some lines at a time."""

from pathlib import Path

import pytest

from infra.audit import logs
from infra.audit.logs import PAGE_MAX_CHARACTERS, pages_in, pages_of
from infra.audit.rules.secrecy import no_card_in_log

LINE = f'{{"message": "{"placed " * 140}"}}\n'


def test_every_line_of_every_log_is_read_and_numbered(tmp_path: Path) -> None:
    """Over many pages, in the part that was cut off too, and past bytes that are no text."""
    before = 3 * PAGE_MAX_CHARACTERS // len(LINE)
    (tmp_path / "order.log").write_text(LINE * before + "card 4111111111111111\n" + LINE)
    (tmp_path / "payment.log.1").write_bytes(b"\xff\xfe\n378282246310005\n")
    (tmp_path / "notes.txt").write_text("4111111111111111")
    pages = list(pages_in(tmp_path))
    assert len(pages) > 3
    assert [(page.file, how) for page in pages for how in no_card_in_log(page)] == [
        ("order.log", f"a card number is in line {before + 1}"),
        ("payment.log.1", "a card number is in line 2"),
    ]


@pytest.mark.parametrize(("lines", "read", "is_cut"), [(10, 10, False), (11, 11, True), (99, 11, True)])
def test_a_log_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch, lines: int, read: int, is_cut: bool) -> None:
    """Past it nothing is asked for any more, and the last page says so."""
    monkeypatch.setattr(logs, "LOG_MAX_CHARACTERS", 10 * len(LINE))
    monkeypatch.setattr(logs, "PAGE_MAX_CHARACTERS", 3 * len(LINE))
    pages = list(pages_of("order-1", [LINE] * lines))
    assert "".join(page.text for page in pages) == LINE * read
    assert [page.is_cut for page in pages] == [False] * (len(pages) - 1) + [is_cut]
