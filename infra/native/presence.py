"""Who is the supervisor: a lock that the kernel lets go of with its process, so that it cannot be stale."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from infra.failure import StackError
from infra.native.processes import identity_of


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
