"""Up, down and reset: what there is to do around the supervisor."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, default_int_handler, getsignal, signal

from infra.native import daemon
from infra.native.board import Board, Phase
from infra.native.credentials import SUPERUSER, Credentials
from infra.native.daemon import Screen
from infra.native.install import find_or_install
from infra.native.leftovers import end_leftovers
from infra.native.lock import alone, present
from infra.native.occupied import conflicts
from infra.native.program import StackError
from infra.native.stack import Stack
from infra.native.state import WALKABLE, Home, make_directory

CONFLICTS_NAMED = 2


def up(home: Home, screen: Screen) -> bool:
    """Bring the stack up; tell whether it had to be, or was up already.

    Raises:
        StackError: it does not come up; nothing of it is left running.
        KeyboardInterrupt: a person did not want to wait; nothing of it is left running either.
    """
    make_directory(home.path, WALKABLE)
    with _alone(home, screen):
        home.create()
        if _joined(home, screen):
            return False
        end_leftovers(home, screen.say)
        _prepare(home, screen)
        with _terminated_like_interrupted():
            supervisor = daemon.begin(home)
            try:
                daemon.watch(home, screen, lambda: supervisor.poll() is None)
            except BaseException:
                signal(SIGINT, SIG_IGN)  # it is stopping: asking again would only lose track of it
                screen.say("stopping what was started")
                supervisor.terminate()  # it may be too young to be found by its lock
                daemon.end(home, screen)
                supervisor.wait(daemon.KILL_TIMEOUT_S)
                raise
    return True


def down(home: Home, screen: Screen) -> bool:
    """Stop everything and wait until it is gone; tell whether anything ran.

    Raises:
        TimeoutError: a process cannot even be killed.
    """
    if not home.path.exists():
        return False
    with _alone(home, screen):
        return daemon.end(home, screen)


def reset(home: Home, screen: Screen) -> None:
    """Stop everything, then delete all data, logs and passwords.

    Raises:
        TimeoutError: a process cannot even be killed; nothing is deleted.
    """
    if not home.path.exists():
        return
    with _alone(home, screen):
        daemon.end(home, screen)
        data = home.postgres.resolve()
        if home.postgres.is_symlink():
            home.postgres.unlink()
        for directory in (data, home.rabbitmq, home.provider_ledger.parent, home.mail, home.logs):
            if directory.exists():
                shutil.rmtree(directory)
        for file in (home.secrets, home.board, home.pid_file):
            file.unlink(missing_ok=True)


def _joined(home: Home, screen: Screen) -> bool:
    """Wait for a supervisor that is there already to come up, or to be gone if it is about to go."""
    if present(home.pid_file) is None:
        return False
    board = Board.read(home.board)
    if board and board.phase is Phase.STOPPING:
        daemon.end(home, screen)
        return False
    daemon.watch(home, screen, lambda: present(home.pid_file) is not None)
    return True


def _prepare(home: Home, screen: Screen) -> None:
    """Make everything ready for the supervisor, and find out early what would keep it from starting."""
    installed = find_or_install(screen.say, screen.murmur)
    data = home.postgres.resolve() / "data"
    if data.exists() and SUPERUSER not in Credentials.read(home.secrets).values:
        raise StackError(f"{data} was made with passwords that {home.secrets} has lost: `make reset` begins anew")
    stack = Stack(home, Credentials.read_or_draw(home.secrets), installed)
    if taken := conflicts(stack.programs()):
        more = f"; and {len(taken) - CONFLICTS_NAMED} more" if len(taken) > CONFLICTS_NAMED else ""
        raise StackError("; ".join(taken[:CONFLICTS_NAMED]) + more)
    screen.say("preparing the database and the broker")
    stack.postgres.initialise()
    stack.rabbitmq.initialise()


@contextmanager
def _alone(home: Home, screen: Screen) -> Iterator[None]:
    with alone(home.lock, lambda: screen.say("another quartet command is at work; waiting for it")):
        yield


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end this command the way Ctrl-C does."""
    wanted = [number for number in (SIGTERM, SIGHUP) if getsignal(number) is not SIG_IGN]  # nohup ignores SIGHUP
    before = {number: signal(number, default_int_handler) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)
