"""What a supervisor left behind that was killed, and could not stop what it had started."""

from collections.abc import Callable, Collection, Iterator
from signal import SIGINT, SIGKILL, SIGTERM

import psutil

from infra.home import Home
from infra.native import postgres, processes, rabbitmq
from infra.native.board import Board
from infra.native.processes import Trace, identity_of, working_in

LEFTOVER_TIMEOUT_S = 20.0


def end_leftovers(home: Home, say: Callable[[str], None]) -> bool:
    """End the processes of an earlier run; tell whether there were any.

    Raises:
        TimeoutError: one of them cannot even be killed.
    """
    board = Board.read(home.board)
    left = [trace for trace in board.traces if processes.alive(trace)] if board else []
    known = {trace.pid for trace in left}
    left += [trace for trace in _servers_of(home) if trace.pid not in known]
    if left:
        say("ending what an earlier run left: " + ", ".join(f"{trace.name} ({trace.pid})" for trace in left))
        processes.end(left, LEFTOVER_TIMEOUT_S)
    see_off(_helpers_of(home))
    return bool(left)


def family_of(supervisor: int) -> list[Trace]:
    """Note the supervisor and every process below it, helpers of its programs too."""
    try:
        root = psutil.Process(supervisor)
        return [
            Trace(one.name(), one.pid, identity_of(one.pid), SIGKILL) for one in (root, *root.children(recursive=True))
        ]
    except psutil.Error:
        return []


def see_off(family: Collection[Trace]) -> None:
    """Wait until the last of them is gone; whoever stays long after the supervisor is killed.

    Raises:
        TimeoutError: one of them cannot even be killed.
    """
    if not processes.gone(family, LEFTOVER_TIMEOUT_S):
        processes.end(family, LEFTOVER_TIMEOUT_S)


def _servers_of(home: Home) -> Iterator[Trace]:
    """Find the PostgreSQL on our data by its lock file, whoever started it."""
    data = home.postgres.resolve() / "data"
    lock = data / "postmaster.pid"
    server = int(lock.read_text().split()[0]) if lock.exists() else 0
    if server in working_in(data, postgres.PROCESS_NAMES):
        yield Trace("postgres", server, identity_of(server), SIGINT)


def _helpers_of(home: Home) -> list[Trace]:
    """Find what the servers had started and nobody wrote down. It ends by itself, a moment after its server."""
    pids = (
        *working_in(home.postgres.resolve() / "data", postgres.PROCESS_NAMES),
        *working_in(home.rabbitmq.resolve(), rabbitmq.PROCESS_NAMES),
    )
    return [Trace("a helper of a server", pid, identity_of(pid), SIGTERM) for pid in pids]
