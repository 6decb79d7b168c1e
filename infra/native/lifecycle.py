"""Up, down and reset: what there is to do around the supervisor."""

import shutil

from infra.credentials import SUPERUSER, Credentials
from infra.failure import StackError
from infra.home import Home
from infra.interruption import deaf_from_here, terminated_like_interrupted
from infra.native import daemon
from infra.native.board import Board
from infra.native.install import find_or_install
from infra.native.leftovers import end_leftovers
from infra.native.presence import present
from infra.native.stack import Stack
from infra.native.state import create
from infra.occupied import insist_on_free
from infra.screen import Screen
from infra.standing import Phase


def up(home: Home, scale: int, screen: Screen) -> bool:
    """Bring the stack up; tell whether it had to be, or was up already.

    Raises:
        StackError: it does not come up; nothing of it is left running.
        KeyboardInterrupt: a person did not want to wait; nothing of it is left running either.
    """
    create(home)
    if _joined(home, screen):
        return False
    end_leftovers(home, screen.say)
    _prepare(home, scale, screen)
    with terminated_like_interrupted():
        supervisor = daemon.begin(home, scale)
        try:
            daemon.watch(home, screen, lambda: supervisor.poll() is None)
        except BaseException:
            deaf_from_here()
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
    return daemon.end(home, screen)


def reset(home: Home, screen: Screen) -> None:
    """Stop everything, then delete all data and logs.

    Raises:
        TimeoutError: a process cannot even be killed; nothing is deleted.
    """
    daemon.end(home, screen)
    data = home.postgres.resolve()
    if home.postgres.is_symlink():
        home.postgres.unlink()
    for directory in (data, home.rabbitmq, home.provider_ledger.parent, home.mail, home.logs):
        if directory.exists():
            shutil.rmtree(directory)
    for file in (home.board, home.pid_file):
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


def _prepare(home: Home, scale: int, screen: Screen) -> None:
    """Make everything ready for the supervisor, and find out early what would keep it from starting."""
    installed = find_or_install(screen.say, screen.murmur)
    data = home.postgres.resolve() / "data"
    if data.exists() and SUPERUSER not in Credentials.read(home.secrets).values:
        raise StackError(f"{data} was made with passwords that {home.secrets} has lost: `make reset` begins anew")
    stack = Stack(home, Credentials.read_or_draw(home.secrets), installed, scale)
    insist_on_free({port: program.name for program in reversed(stack.programs()) for port in program.ports})
    screen.say("preparing the database and the broker")
    stack.postgres.initialise()
    stack.rabbitmq.initialise()
