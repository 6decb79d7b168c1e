"""News: passive listeners are told that a service has logged something, and read what it is in the service's feed.

A listener has no queue of events. Every publish of an event is mandatory, and one that any queue takes counts as
taken: a listener's would have the broker confirm what no lane gets. So what it hears on is apart, and may be lost:
nobody waits for it, nothing of it is kept, and who misses some reads the feed a little later all the same.
"""

from collections.abc import Awaitable, Callable

from shared.batch import Answered
from shared.outcome import Advanced
from shared.ports import Clock
from shared.shell import Committed
from shared.throttled import Throttled

NEWS_INTERVAL_S = 0.25
"""What is logged in the meantime is told together: to tell it costs a millisecond, and nobody looks much more often."""


class News:
    """Tells of the commits of one process. `announce` tells whoever listens, or raises `WorldError`."""

    def __init__(self, announce: Callable[[], Awaitable[None]], clock: Clock) -> None:
        self._telling = Throttled(announce, NEWS_INTERVAL_S, clock, "listeners are not told that there is news")

    def committed(self, committed: Committed) -> None:
        """Have it told if a batch has logged anything."""
        outcomes = (result.outcome if isinstance(result, Answered) else result for result in committed.results)
        if any(isinstance(outcome, Advanced) for outcome in outcomes):
            self._telling.call()

    async def run(self) -> None:
        """Tell, until cancelled."""
        await self._telling.run()
