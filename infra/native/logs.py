"""The log of every program: a file that its output is appended to, cut when it has grown past a bound."""

import contextlib
import os
import shutil
from pathlib import Path

LOG_MAX_BYTES = 8 * 1024 * 1024
TAIL_BLOCK_BYTES = 64 * 1024


def log_file(directory: Path, name: str) -> Path:
    """Say where the output of the program `name` goes."""
    return directory / f"{name}.log"


def cut(log: Path) -> None:
    """Move what is in a log that has grown too long into `<name>.log.1`, and leave it empty.

    The program goes on writing to the same file, which is why it is copied and not renamed. The few lines
    written between copy and cut are lost.
    """
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > LOG_MAX_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def tail(log: Path, lines: int, offset: int = 0) -> tuple[str, ...]:
    """Give the last `lines` of a log, none of them from before `offset` bytes."""
    with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        if offset > end:  # it was cut in between
            offset = 0
        start, text = end, b""
        while start > offset and text.count(b"\n") <= lines:
            block = min(TAIL_BLOCK_BYTES, start - offset)
            start -= block
            file.seek(start)
            text = file.read(block) + text
        return tuple(text.decode(errors="replace").splitlines()[-lines:]) if lines else ()
    return ()
