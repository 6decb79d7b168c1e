"""Waiting for a state with a deadline: the only place where a test lets time pass."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 60.0
"""Far above what anything takes even on a starved machine: reached only when something will never be."""
LOOK_EVERY_MIN_S, LOOK_EVERY_MAX_S = 0.02, 0.5
PAUSES_PER_LOOK = 5
"""A pause is so many times as long as the look before it: looking at everything keeps both servers busy."""


async def eventually(look: Callable[[], Awaitable[T]], deadline_s: float = DEADLINE_S) -> T:
    """Look again and again until `look` raises no AssertionError, and give what it gave.

    Raises:
        AssertionError: the last one, when the time is over.
    """
    ends_s = time.monotonic() + deadline_s
    while True:
        began_s = time.monotonic()
        try:
            return await look()
        except AssertionError:
            if time.monotonic() > ends_s:
                raise
        pause_s = (time.monotonic() - began_s) * PAUSES_PER_LOOK
        await asyncio.sleep(min(max(pause_s, LOOK_EVERY_MIN_S), LOOK_EVERY_MAX_S))
