"""One audit at a time, and what the last one came to."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from loguru import logger

AUDIT_TIMEOUT_S = 300.0

Document = dict[str, Any]


class Desk:
    """Has audits run by `look`, which gives what was found or raises why there is nothing."""

    def __init__(self, look: Callable[[], Awaitable[Document]], timeout_s: float = AUDIT_TIMEOUT_S) -> None:
        self._look = look
        self._timeout_s = timeout_s
        self._running: asyncio.Task[None] | None = None
        self._last: Document | None = None

    @property
    def busy(self) -> bool:
        """Whether one runs right now."""
        return self._running is not None and not self._running.done()

    @property
    def document(self) -> Document:
        """Whether one runs, and the last one: what it found or why nothing, and when; nothing where none was run."""
        return {"running": self.busy, "last": self._last}

    def begin(self) -> None:
        """Begin one, unless one runs."""
        if not self.busy:
            self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Give up the one that runs."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        found, complaint = None, ""
        try:
            async with asyncio.timeout(self._timeout_s) as bound:
                found = await self._look()
        except Exception as error:  # noqa: BLE001 - whatever it was: the page says that nothing was found out, and why
            late = isinstance(error, TimeoutError) and bound.expired()
            complaint = f"it took longer than {self._timeout_s:.0f} s" if late else _first_line(error)
            logger.error("the audit could not be run: {}", complaint)
        else:
            logger.info("audited {} orders in {} s", found["orders"], found["took_s"])
        self._last = {"at": datetime.now(UTC).isoformat(), "found": found, "complaint": complaint}


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
