"""What the supervisor is asked to run, and when it counts as running."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals

from shared.backoff import Backoff

Probe = Callable[[], Awaitable[bool]]
"""Asks once whether a program is ready. It never raises and answers within a second or two."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a program runs as, when root starts it."""

    uid: int
    gid: int


RESTART_BACKOFF = Backoff(first_s=0.5, most_s=30.0)


@dataclass(frozen=True, slots=True)
class Restarts:
    """How a lasting program that crashed is brought back: after delays that double up to a bound."""

    backoff: Backoff = RESTART_BACKOFF
    healthy_after_s: float = 60.0  # so long ready, and the next crash is the first again


RESTARTS = Restarts()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program to run, with the whole of its environment: it inherits nothing.

    `orphan_signal` is what the kernel sends it when its supervisor dies (Linux, `PR_SET_PDEATHSIG`).
    `prepare` runs before every start, restarts included, and has to be quick.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: Path
    owner: Owner | None = None
    needs: tuple[str, ...] = ()
    once: bool = False
    ports: tuple[int, ...] = ()
    prepare: Callable[[], None] | None = None
    ready: Probe | None = None
    ready_timeout_s: float = 120.0
    stop_signal: Signals = SIGTERM
    stop_timeout_s: float = 10.0
    orphan_signal: Signals = SIGKILL
    restarts: Restarts = RESTARTS
