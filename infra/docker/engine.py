"""The Docker engine, asked through its own command line: the one door that knows contexts, remotes and rights."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, SIGTERM
from time import monotonic
from typing import IO

from infra.failure import StackError

DOCKER = "docker"
ANSWER_TIMEOUT_S = 5.0
"""So long an engine may take to say that it is there."""
ASK_TIMEOUT_S = 60.0
END_TIMEOUT_S = 15.0
WATCH_EVERY_S = 0.5
LAST_LINE_BYTES = 400
LOG_LINES = 20

OURS = ("QUARTET_", "COMPOSE_")
"""Variables of the shell that Compose would prefer to what it is given here."""
NOWHERE = Path("/")
"""Where no compose file lies: Compose would read it, though it is asked about a project by name."""


def why_not() -> str:
    """Say why there is no Docker to use; "" where an engine answers and Compose is there."""
    if shutil.which(DOCKER) is None:
        return "there is no `docker` command"
    try:
        _ask(("compose", "version"), ANSWER_TIMEOUT_S)
    except (StackError, TimeoutError):
        return "`docker compose` is missing"
    try:
        _ask(("version", "--format", "{{.Server.Version}}"), ANSWER_TIMEOUT_S)
    except TimeoutError:
        return f"the Docker engine did not answer within {ANSWER_TIMEOUT_S:g} s"
    except StackError as error:
        forbidden = "permission denied" in " ".join(error.lines)
        return "this user may not speak to the Docker engine" if forbidden else "no Docker engine answers"
    return ""


def ask(*arguments: str, timeout_s: float = ASK_TIMEOUT_S) -> str:
    """Run a `docker` command to its end and give what it printed.

    Raises:
        StackError: it failed, or took longer than `timeout_s`.
    """
    try:
        return _ask(arguments, timeout_s)
    except TimeoutError:
        raise StackError(f"`docker {arguments[0]}` took longer than {timeout_s:g} s") from None


def watched(arguments: Sequence[str], cwd: Path, log: Path, timeout_s: float, watch: Callable[[str], None]) -> None:
    """Run a `docker` command that takes a while, its output in `log`; `watch` is given its last line again and again.

    Raises:
        StackError: it failed, with the end of what it printed, or took longer than `timeout_s`.
    """
    with log.open("wb") as output:
        process = _begin(arguments, cwd, output, subprocess.STDOUT)
    ends = monotonic() + timeout_s
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(WATCH_EVERY_S)
                break
            watch(_last_line(log))
            if monotonic() > ends:
                raise StackError(f"{_named(arguments)} took longer than {timeout_s:g} s", _tail(log))
    finally:
        _end(process)
    if process.returncode:
        raise StackError(f"{_named(arguments)} failed", _tail(log))


def printed_by(*arguments: str) -> Iterator[str]:
    """Give each line that a `docker` command prints, as it comes; closing the iterator ends it.

    Raises:
        StackError: it failed, with the last that it printed.
    """
    last = ""
    process = _begin(arguments, NOWHERE, subprocess.PIPE, subprocess.STDOUT)
    try:
        for line in process.stdout or ():
            yield (last := line.decode(errors="replace").rstrip("\n"))
        if process.wait():
            raise StackError(f"{_named(arguments)} failed", (last,))
    finally:
        _end(process)


def _ask(arguments: Sequence[str], timeout_s: float) -> str:
    process = _begin(arguments, NOWHERE, subprocess.PIPE, subprocess.PIPE)
    try:
        printed, complaint = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    finally:
        _end(process)
    if process.returncode:
        raise StackError(f"{_named(arguments)} failed", tuple(complaint.decode(errors="replace").splitlines()))
    return printed.decode(errors="replace")


def _begin(arguments: Sequence[str], cwd: Path, output: IO[bytes] | int, complaint: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        (DOCKER, *arguments),
        env={name: value for name, value in os.environ.items() if not name.startswith(OURS)},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=complaint,
        start_new_session=True,  # Ctrl-C is for this command, which then ends what it has begun
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with its plugin, which is a process of its own: `docker` alone would leave it behind."""
    for signal in (SIGTERM, SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, signal)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_TIMEOUT_S)


def _named(arguments: Sequence[str]) -> str:
    """Name a command by its words, without its options and their values."""
    words = ("compose", "build", "up", "down", "run", "logs", "rm", "ls", "inspect", "stats")
    return f"`{' '.join((DOCKER, *(word for word in arguments if word in words)))}`"


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LAST_LINE_BYTES))
        return (file.read().decode(errors="replace").strip().splitlines() or [""])[-1]


def _tail(log: Path) -> tuple[str, ...]:
    return tuple(log.read_text(errors="replace").splitlines()[-LOG_LINES:])
