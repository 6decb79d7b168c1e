"""Waits that end early when the program stops."""

import asyncio

from infra.provider.problems import Stopping


class Patience:
    """One for the whole program: whoever waits, waits through it."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """End every wait, and refuse every later one."""
        self._stopped.set()

    async def pause(self, duration_ms: int) -> None:
        """Wait for `duration_ms`; raises Stopping when the program stops meanwhile."""
        try:
            async with asyncio.timeout(duration_ms / 1000):
                await self._stopped.wait()
        except TimeoutError:
            return
        raise Stopping
