"""An event loop without time or sockets: it runs what is ready, in order, and stops when nothing is."""

import asyncio
import contextvars
import inspect
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, cast

CALLBACKS_MAX = 20_000
"""Of one step; none takes a tenth of it."""


class StepLoop:
    """Runs callbacks until none is ready. Timers never fire: whether something takes too long is the world's choice.

    It has what tasks, futures and locks need of a loop, and nothing else: who asks for a socket is told that there is
    none.
    """

    def __init__(self) -> None:
        self._loop = cast("asyncio.AbstractEventLoop", self)
        self._ready: deque[asyncio.Handle] = deque()
        self._begun: list[Coroutine[Any, Any, Any]] = []
        self._stopped = False
        self.is_endless = False
        """Whether a step would never have come to rest."""
        self.error: BaseException | None = None

    def run(self, work: Coroutine[Any, Any, Any] | None = None) -> asyncio.Task[Any] | None:
        """Begin `work`, and run what is ready until nothing is, or until `stop`, or for `CALLBACKS_MAX`.

        Raises:
            BaseException: what a task raised that nobody waited for.
        """
        before = events._get_running_loop()
        self._begun.clear()
        events._set_running_loop(self._loop)
        try:
            task = self.create_task(work) if work is not None else None
            callbacks = 0
            while self._ready and not self._stopped:
                self._ready.popleft()._run()
                callbacks += 1
                if callbacks == CALLBACKS_MAX:
                    self.is_endless = True
                    self.stop()
        finally:
            events._set_running_loop(before)
        if self.error is not None:
            raise self.error
        return task

    def stop(self) -> None:
        """Run nothing any more: this is how a process dies, in the middle of whatever it did."""
        self._stopped = True
        self._ready.clear()
        for work in self._begun:
            if inspect.getcoroutinestate(work) is inspect.CORO_CREATED:
                work.close()  # it never began, and Python would warn of that

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """Run it after what is ready already."""
        handle = asyncio.Handle(callback, args, self._loop, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Never run it."""
        return asyncio.TimerHandle(when, callback, args, self._loop, context)

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.TimerHandle:
        """Never run it."""
        return asyncio.TimerHandle(delay, callback, args, self._loop, context)

    def time(self) -> float:
        """Stand still."""
        return 0.0

    def create_future(self) -> asyncio.Future[Any]:
        """Make a future of this loop."""
        return asyncio.Future(loop=self._loop)

    def create_task(self, coro: Any, *, name: str | None = None, context: Any = None) -> asyncio.Task[Any]:
        """Make a task of this loop. One that never ends is no mistake here: its process may have died."""
        self._begun.append(coro)
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=self._loop, context=context)
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own switch for just this
        return task

    def get_debug(self) -> bool:
        """Be quick."""
        return False

    def is_running(self) -> bool:
        """As far as anybody who asks from inside can tell."""
        return True

    def is_closed(self) -> bool:
        """It holds nothing that would have to be closed."""
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Keep no account of timers."""

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Fail the step: an error that nobody waits for is a bug."""
        if not self._stopped:
            self.error = context.get("exception") or AssertionError(context.get("message"))
