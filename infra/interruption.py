"""A command that is told to end, by whatever means, ends the way Ctrl-C ends it."""

from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIG_IGN, SIGHUP, SIGINT, SIGTERM, default_int_handler, getsignal, signal


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM and a closed terminal raise KeyboardInterrupt, as Ctrl-C does."""
    wanted = [number for number in (SIGTERM, SIGHUP) if getsignal(number) is not SIG_IGN]  # nohup ignores SIGHUP
    before = {number: signal(number, default_int_handler) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal(number, handler)


def deaf_from_here() -> None:
    """Ignore Ctrl-C from now on: what was started is being stopped, and asking again would lose track of it."""
    signal(SIGINT, SIG_IGN)
