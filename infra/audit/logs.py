"""What the programs wrote, some lines at a time."""

from collections.abc import Iterator
from pathlib import Path

from infra.audit.facts import LogPage

PAGE_MAX_CHARACTERS = 256 * 1024
"""Past so many a page ends with the line."""


def pages_of(directory: Path) -> Iterator[LogPage]:
    """Read every log of a directory, those that were cut off included; bytes that are no text as far as they are."""
    for path in sorted(directory.glob("*.log*")):
        with path.open(encoding="utf-8", errors="replace") as file:
            line = 1
            while lines := file.readlines(PAGE_MAX_CHARACTERS):
                yield LogPage(path.name, line, "".join(lines))
                line += len(lines)
