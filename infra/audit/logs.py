"""What the programs wrote, line by line."""

from collections.abc import Iterator
from pathlib import Path

from infra.audit.facts import LogLine


def lines_of(directory: Path) -> Iterator[LogLine]:
    """Read every log of a directory, those that were cut off included; bytes that are no text as far as they are."""
    for path in sorted(directory.glob("*.log*")):
        with path.open(encoding="utf-8", errors="replace") as file:
            for number, text in enumerate(file, start=1):
                yield LogLine(f"{path.name}:{number}", text)
