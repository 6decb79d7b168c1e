"""News: passive listeners are told that a service has logged something, and read what it is in the service's feed.

A listener has no queue of events. Every publish of an event is mandatory, and one that any queue takes counts as
taken: a listener's would have the broker confirm what no lane gets. So what it hears on is apart, and may be lost:
nobody waits for it, nothing of it is kept, and who misses some reads the feed a little later all the same.
"""

import asyncio
from collections.abc import Awaitable, Callable

from loguru import logger

from shared.backoff import Backoff
from shared.batch import Answered
from shared.outcome import Advanced
from shared.ports import Clock, WorldError
from shared.shell import Committed

NEWS_INTERVAL_S = 0.1
"""What is logged in the meantime is told together."""
AGAIN = Backoff(first_s=0.5, most_s=30.0)

Announce = Callable[[], Awaitable[None]]
"""Tells whoever listens; raises `WorldError` where that cannot be."""


class News:
    """Tells of the commits of one process."""

    def __init__(self, announce: Announce, clock: Clock) -> None:
        self._announce = announce
        self._clock = clock
        self._logged = asyncio.Event()

    def committed(self, committed: Committed) -> None:
        """Note whether a batch has logged anything."""
        outcomes = (result.outcome if isinstance(result, Answered) else result for result in committed.results)
        if any(isinstance(outcome, Advanced) for outcome in outcomes):
            self._logged.set()

    async def run(self) -> None:
        """Tell, until cancelled."""
        failures = 0
        while True:
            await self._logged.wait()
            self._logged.clear()
            try:
                await self._announce()
            except WorldError as error:
                failures += 1
                log = logger.warning if failures == 1 else logger.debug
                log("listeners are not told that there is news: {}", error)
                await self._clock.sleep(AGAIN.delay_s(failures))
            else:
                failures = 0
                await self._clock.sleep(NEWS_INTERVAL_S)
