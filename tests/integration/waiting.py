"""Waiting for a state with a deadline: the only place of this suite where time is let pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 20.0
"""Far above what anything takes on an idle machine: reached only when something will never be."""
LOOK_EVERY_S = 0.02


async def eventually(look: Callable[[], Awaitable[T]], deadline_s: float = DEADLINE_S) -> T:
    """Look again and again until `look` raises no AssertionError, and give what it gave.

    Raises:
        AssertionError: the last one, when the time is over.
    """
    ends_s = time.monotonic() + deadline_s
    while True:
        try:
            return await look()
        except AssertionError:
            if time.monotonic() > ends_s:
                raise
        await asyncio.sleep(LOOK_EVERY_S)
