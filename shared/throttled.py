"""Doing one thing for many calls, beside whoever calls."""

import asyncio
from collections.abc import Awaitable, Callable

from loguru import logger

from shared.backoff import Backoff
from shared.ports import Clock, WorldError

AGAIN = Backoff(first_s=0.2, most_s=5.0)


class Throttled:
    """Does it at once for the first call, then no more often than its interval; where that fails, again a little later.

    What is done takes care of all calls before it. It fails with `WorldError` and nothing else; that is logged once.
    """

    def __init__(self, do: Callable[[], Awaitable[None]], interval_s: float, clock: Clock, failing: str) -> None:
        self._do = do
        self._interval_s = interval_s
        self._clock = clock
        self._failing = failing
        self._called = asyncio.Event()

    def call(self) -> None:
        """Have it done soon."""
        self._called.set()

    async def run(self) -> None:
        """Do it, until cancelled."""
        failures = 0
        while True:
            await self._called.wait()
            self._called.clear()
            try:
                await self._do()
            except WorldError as error:
                failures += 1
                self._called.set()
                logger.log("WARNING" if failures == 1 else "DEBUG", "{}: {}", self._failing, error)
                await self._clock.sleep(AGAIN.delay_s(failures))
            else:
                failures = 0
                await self._clock.sleep(self._interval_s)
