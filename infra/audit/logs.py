"""What the programs wrote, some lines at a time."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.audit.facts import LogPage

PAGE_MAX_CHARACTERS = 256 * 1024
"""Past so many a page ends with the line."""
LOG_MAX_CHARACTERS = 32 * 1024 * 1024
"""So much is read of one log, which is more than the supervisor and the engine keep of it; what is left is said."""


def pages_in(directory: Path) -> Iterator[LogPage]:
    """Read every log of a directory, those that were cut off included; bytes that are no text as far as they are."""
    for path in sorted(directory.glob("*.log*")):
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from pages_of(path.name, file)


def pages_of(name: str, lines: Iterable[str]) -> Iterator[LogPage]:
    """Put the lines of one log together, up to the bound."""
    page: list[str] = []
    first, characters, page_characters = 1, 0, 0
    for line in lines:
        page.append(line)
        characters += len(line)
        page_characters += len(line)
        if is_cut := characters > LOG_MAX_CHARACTERS:
            break
        if page_characters > PAGE_MAX_CHARACTERS:
            yield LogPage(name, first, "".join(page))
            first, page, page_characters = first + len(page), [], 0
    if page:
        yield LogPage(name, first, "".join(page), is_cut)
