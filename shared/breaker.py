"""A circuit breaker: an outside party that does not answer is left in peace, and asked by one at a time until it does.

See Nygard, "Release It!", Stability Patterns. Our own, because the packages for it let everybody through while half
open, let late answers decide, go by the time of day (purgatory, circuitbreaker), or are not kept any more (aiobreaker).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from loguru import logger

from shared.backoff import Backoff
from shared.intents import NotAskedError
from shared.ports import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """When a breaker opens, and for how long."""

    failures_max: int = 5
    """So many failures in a row open it."""
    open: Backoff = field(default=Backoff(first_s=1.0, most_s=15.0))
    """How long it stays open before one may ask, by how often it was opened in a row."""
    probe_s: float = 1.0
    """While one asks, the others come again after so long."""


class OpenError(NotAskedError):
    """The breaker is open, or one is asking already: nobody was asked."""


class Breaker:
    """Stands before one outside party, in one process.

    Closed, everybody asks. After `failures_max` failures in a row it opens, and nobody does. When that time is over
    the next who comes asks, alone: an answer closes the breaker, a failure opens it for longer. What was asked before
    it opened decides nothing any more when it ends.
    """

    def __init__(self, name: str, clock: Clock, limits: BreakerLimits) -> None:
        self._name = name
        self._clock = clock
        self._limits = limits
        self._era = 0
        """Goes on with every opening and closing: what was asked in an earlier one decides nothing."""
        self._failures = 0
        self._openings = 0
        """In a row; 0 while it is closed."""
        self._opened_s = 0.0
        self._probe_at_s = 0.0
        self._probing = False
        self._refused = 0

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Ask, unless the breaker is open; whatever `question` raises is a failure.

        Raises:
            OpenError: not asked.
        """
        if self._openings:
            self._begin_probe()
        era = self._era
        try:
            answer = await question()
        except BaseException:
            if era == self._era:
                self._fail()
            raise
        if era == self._era:
            self._succeed()
        return answer

    def _begin_probe(self) -> None:
        wait_s = self._limits.probe_s if self._probing else self._probe_at_s - self._clock.monotonic_s()
        if wait_s > 0:
            self._refused += 1
            raise OpenError(f"{self._name} is left in peace", wait_s)
        self._probing = True

    def _fail(self) -> None:
        self._failures += 1
        if self._probing or self._failures >= self._limits.failures_max:
            self._open(self._clock.monotonic_s())

    def _open(self, now_s: float) -> None:
        self._opened_s = self._opened_s if self._openings else now_s
        self._openings += 1
        self._era += 1
        self._probing = False
        open_s = self._limits.open.delay_s(self._openings)
        self._probe_at_s = now_s + open_s
        text = "{} is left in peace for {:.1f} s: {} failures in a row, {} not asked meanwhile"
        logger.warning(text, self._name, open_s, self._failures, self._refused)

    def _succeed(self) -> None:
        self._failures = 0
        if self._openings:
            away_s = self._clock.monotonic_s() - self._opened_s
            logger.warning("{} answers again after {:.1f} s, {} not asked meanwhile", self._name, away_s, self._refused)
            self._openings = self._refused = 0
            self._era += 1
            self._probing = False
