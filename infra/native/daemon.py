"""The supervisor's process, as the commands see it that start it, watch it and end it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from signal import SIGKILL, SIGTERM

from infra.failure import StackError
from infra.home import REPOSITORY, Home
from infra.native.board import Board
from infra.native.leftovers import end_leftovers, family_of, see_off
from infra.native.logs import log_file, tail
from infra.native.presence import present
from infra.screen import Screen
from infra.standing import Phase

UP_TIMEOUT_S = 180.0  # every program has its own bound; this one is for a supervisor that hangs
DOWN_TIMEOUT_S = 120.0  # longer than any chain of programs that each take all the time they have to stop
KILL_TIMEOUT_S = 10.0
WATCH_EVERY_S = 0.1
LOG_LINES = 20


def begin(home: Home, scale: int) -> subprocess.Popen[bytes]:
    """Start the supervisor; it outlives this command and its terminal."""
    home.board.unlink(missing_ok=True)
    with log_file(home.logs, "supervisor").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "infra.native", str(scale)],
            cwd=REPOSITORY,
            env=os.environ | {"QUARTET_HOME": str(home.path)},  # it may have been told relative to elsewhere
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def watch(home: Home, screen: Screen, lives: Callable[[], bool]) -> None:
    """Wait until the stack is up.

    Raises:
        StackError: it does not come up, and the supervisor has ended; or it has not come up in time.
    """
    deadline = time.monotonic() + UP_TIMEOUT_S
    while lives():
        board = _show(home, screen)
        if board and board.phase is Phase.UP:
            return
        if time.monotonic() > deadline:
            raise StackError(f"the stack was not up within {UP_TIMEOUT_S:g} s")
        time.sleep(WATCH_EVERY_S)
    board = _show(home, screen)
    if board and board.reason:
        raise StackError(board.reason, board.lines)
    raise StackError("the supervisor ended", tail(log_file(home.logs, "supervisor"), LOG_LINES))


def end(home: Home, screen: Screen) -> bool:
    """End the supervisor and whatever it started, or a killed one left; tell whether there was anything.

    Raises:
        TimeoutError: a process cannot even be killed.
    """
    supervisor = present(home.pid_file)
    if supervisor:
        family = family_of(supervisor)
        os.kill(supervisor, SIGTERM)
        deadline = time.monotonic() + DOWN_TIMEOUT_S
        while present(home.pid_file) is not None:
            if time.monotonic() > deadline + KILL_TIMEOUT_S:
                raise TimeoutError(f"the supervisor (pid {supervisor}) cannot even be killed")
            if time.monotonic() > deadline:
                os.kill(supervisor, SIGKILL)
            _show(home, screen)
            time.sleep(WATCH_EVERY_S)
        _show(home, screen)
        see_off(family)
    return end_leftovers(home, screen.say) or supervisor is not None


def _show(home: Home, screen: Screen) -> Board | None:
    board = Board.read(home.board)
    if board:
        screen.show(board.phase, {entry.name: entry.state for entry in board.entries})
    return board
