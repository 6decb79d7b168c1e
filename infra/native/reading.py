"""Reading logs: several as one, by time, and as they grow."""

import contextlib
import os
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from infra.native.logs import tail

STAMP = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,6})?(?:Z|[+-]\d\d:?\d\d)?")
STAMP_WITHIN_CHARACTERS = 200
FOLLOW_EVERY_S = 0.25


def merged(logs: Sequence[Path], lines: int) -> list[str]:
    """Give the last `lines` of several logs in the order of their times, each with the name of its log.

    A line without a time of its own (the rest of a traceback) stays behind the one before it.
    """
    stamped: deque[tuple[float, str]] = deque()
    for log in logs:
        texts = tail(log, lines)
        at = next(filter(None, map(time_of, texts)), log.stat().st_mtime)
        for text in texts:
            at = time_of(text) or at
            stamped.append((at, _labelled(log, text, logs)))
    return [text for _, text in sorted(stamped, key=lambda pair: pair[0])[-lines:]] if lines else []


def follow(logs: Sequence[Path]) -> Iterator[str]:
    """Give every line that is written from now on, without end."""
    growing = [Growing(log) for log in logs]
    while True:
        for one in growing:
            for text in one.lines():
                yield _labelled(one.log, text, logs)
        time.sleep(FOLLOW_EVERY_S)


class Growing:
    """A log that is written to, from its end as it is now."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._offset = log.stat().st_size

    def lines(self) -> list[str]:
        """Give the lines that have been completed since the last time."""
        with contextlib.suppress(FileNotFoundError), self.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size < self._offset:  # it was cut
                self._offset = 0
            file.seek(self._offset)
            whole, newline, _ = file.read(size - self._offset).rpartition(b"\n")
            self._offset += len(whole) + len(newline)
            return whole.decode(errors="replace").splitlines()
        return []


def time_of(line: str) -> float | None:
    """Find the time in a line, in Unix seconds; without a zone it is taken for UTC."""
    found = STAMP.search(line[:STAMP_WITHIN_CHARACTERS])
    if not found:
        return None
    try:
        told = datetime.fromisoformat(found[0].replace(",", "."))
    except ValueError:
        return None
    return (told if told.tzinfo else told.replace(tzinfo=UTC)).timestamp()


def _labelled(log: Path, text: str, logs: Sequence[Path]) -> str:
    width = max(len(one.stem) for one in logs)
    return f"{log.stem:{width}} | {text}" if len(logs) > 1 else text
