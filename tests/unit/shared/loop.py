"""Time that jumps: an event loop that never waits for a timer while nothing else is ready to run."""

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

DEADLINE_S = 300.0
"""Of the loop's own time; a test that hangs for good is ended by pytest's timeout."""
POLL_S = 0.05
PASSES = 20
"""Of the loop: more than any chain of callbacks here is long."""


class JumpingSelector(selectors.SelectSelector):
    """Skips the wait for a timer, and keeps count of the time that it skipped."""

    skipped_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Give what is ready; where nothing is, pretend that the time until the next timer has passed."""
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        ready = super().select(0)
        if not ready:
            self.skipped_s += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    """An event loop in which an hour passes at once, if it is an hour of waiting."""

    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Tell the time, with what was skipped."""
        return super().time() + self._jumping.skipped_s


async def until(holds: Callable[[], object], deadline_s: float = DEADLINE_S) -> None:
    """Wait for a state. Raises TimeoutError."""
    async with asyncio.timeout(deadline_s):
        while not holds():  # noqa: ASYNC110 - a state of plain objects, which signal nothing
            await asyncio.sleep(POLL_S)


async def passes() -> None:
    """Let all run that is ready to, and what that makes ready, without waiting for anything."""
    for _ in range(PASSES):
        await asyncio.sleep(0)


@asynccontextmanager
async def running(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run what runs for ever, until the block ends; what failed meanwhile fails the test."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for error in ended:
        if isinstance(error, Exception):
            raise error
