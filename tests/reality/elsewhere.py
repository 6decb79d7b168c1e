"""An event loop with sockets in a thread of its own, for code that runs on a loop which has none."""

import asyncio
from collections.abc import Coroutine
from threading import Thread
from typing import Any, TypeVar

T = TypeVar("T")

ANSWER_TIMEOUT_S = 60.0
"""Far above what any question takes: reached only when an answer will never come."""


class Elsewhere:
    """Runs coroutines in another thread. Whoever asks stands still until there is an answer."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="elsewhere", daemon=True)
        self._thread.start()

    def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it there, and give what it gives or raise what it raises."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(ANSWER_TIMEOUT_S)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
