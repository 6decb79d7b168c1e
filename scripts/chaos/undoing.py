"""Undoing what was broken: to its end, whoever is in a hurry meanwhile."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(undoing: Coroutine[Any, Any, T]) -> T:
    """Wait for something that must not be left halfway; a Ctrl-C or a timeout that comes meanwhile counts afterwards.

    Raises:
        CancelledError: it was cancelled; what was to be done is done, or has failed.
    """
    task = asyncio.create_task(undoing)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled from task.exception()
    return task.result()
