"""Locks that the kernel lets go of with their process, so that none can be stale."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from infra.native.processes import identity_of
from infra.native.program import StackError


@contextlib.contextmanager
def alone(lock: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold `lock` for a command that changes the stack; if another holds it, call `waiting` and wait."""
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)  # bounded by the other command, each of whose waits is
        yield


@contextlib.contextmanager
def presence(pid_file: Path) -> Iterator[None]:
    """Say who is the supervisor for as long as this lasts.

    Raises:
        StackError: another one is.
    """
    with pid_file.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError("a supervisor is running already") from None
        file.truncate(0)
        file.write(f"{os.getpid()} {identity_of(os.getpid())}\n")
        file.flush()
        yield
        file.truncate(0)


def present(pid_file: Path) -> int | None:
    """Give the number of the supervisor that is running, if one is.

    What an unlocked file says is stale, and so is for a moment what a file says that has just been locked.
    """
    with contextlib.suppress(FileNotFoundError), pid_file.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, identity = file.read().strip().partition(" ")
            return int(pid) if pid and identity_of(int(pid)) == identity else None
    return None
