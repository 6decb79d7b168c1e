"""Starts programs in the order of their needs, brings back what crashes, stops them in reverse order."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from infra.failure import StackError
from infra.native.child import Child
from infra.native.logs import log_file, tail
from infra.native.program import Program
from infra.native.readiness import became_ready, succeeded
from infra.native.seat import Seat
from infra.standing import State

FAILURE_LINES = 20
UNREADY_STOP_TIMEOUT_S = 3.0  # who is not ready has nothing to put in order, and RabbitMQ not even an ear yet

logger = logging.getLogger("quartet.supervisor")


class Supervisor:
    """Runs programs, and only ever signals the processes that it started itself."""

    def __init__(self, programs: Sequence[Program], logs: Path, changed: Callable[[], None]) -> None:
        """`changed` is called after every change of a seat, before anything else happens."""
        self.seats = [Seat(program, log_file(logs, program.name)) for program in programs]
        self._changed = changed
        self._ready = {program.name: asyncio.Event() for program in programs}
        self._keepers: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Start everything; return when the last program is ready or done.

        Raises:
            StackError: one could not be started, ended too early or was not ready in time. The rest still runs.
        """
        await _together([self._bring_up(seat) for seat in self.seats])

    async def stop(self) -> None:
        """Stop everything, each program after those that need it."""
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        ended = {seat.program.name: asyncio.Event() for seat in self.seats}
        await asyncio.gather(*(self._take_down(seat, ended) for seat in self.seats))

    async def _bring_up(self, seat: Seat) -> None:
        program = seat.program
        for need in program.needs:
            await self._ready[need].wait()
        try:
            child = self._begin(seat)
            async with asyncio.timeout(program.ready_timeout_s):
                ready = await (succeeded(child) if program.once else became_ready(program, child))
        except TimeoutError:
            raise self._failed(seat, f"was not ready within {program.ready_timeout_s:g} s") from None
        except OSError as error:
            raise self._failed(seat, f"cannot be started: {error}") from error
        if not ready:
            raise self._failed(seat, f"ended with exit code {child.exit_code}")
        self._become_ready(seat)
        if not program.once:
            self._keepers.append(asyncio.create_task(self._keep(seat, child)))

    async def _keep(self, seat: Seat, child: Child | None) -> None:
        """Bring a lasting program back each time that it ends, until cancelled."""
        while True:
            delay_s = seat.crash(await child.exited() if child else None)
            logger.warning("%s ended with %s; starts again in %g s", seat.program.name, seat.last_exit, delay_s)
            self._changed()
            await asyncio.sleep(delay_s)
            seat.restarts += 1
            try:
                child = self._begin(seat)
            except OSError:
                logger.exception("%s cannot be started", seat.program.name)
                child = None
                continue
            if await became_ready(seat.program, child):
                self._become_ready(seat)

    async def _take_down(self, seat: Seat, ended: dict[str, asyncio.Event]) -> None:
        for other in self.seats:
            if seat.program.name in other.program.needs:
                await ended[other.program.name].wait()
        if seat.child and seat.running:
            await self._end(seat, seat.child)
        if seat.state not in {State.DONE, State.FAILED}:
            seat.end(State.STOPPED)
        self._changed()
        ended[seat.program.name].set()

    async def _end(self, seat: Seat, child: Child) -> None:
        timeout_s = seat.program.stop_timeout_s
        if seat.state is not State.READY:
            timeout_s = min(timeout_s, UNREADY_STOP_TIMEOUT_S)
        if seat.state is not State.FAILED:
            seat.state = State.STOPPING
            self._changed()
        try:
            await child.stop(seat.program.stop_signal, timeout_s)
        except TimeoutError:
            logger.exception("%s (pid %d) does not end", seat.program.name, child.pid)

    def _begin(self, seat: Seat) -> Child:
        child = seat.begin()
        logger.info("%s started as pid %d", seat.program.name, child.pid)
        self._changed()
        return child

    def _become_ready(self, seat: Seat) -> None:
        seat.become_ready()
        logger.info("%s is %s", seat.program.name, seat.state)
        self._ready[seat.program.name].set()
        self._changed()

    def _failed(self, seat: Seat, what: str) -> StackError:
        seat.end(State.FAILED)
        logger.error("%s %s", seat.program.name, what)
        self._changed()
        offset = seat.child.log_offset if seat.child else 0
        return StackError(f"{seat.program.name} {what}", tail(seat.log, FAILURE_LINES, offset) if seat.child else ())


async def _together(coroutines: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run them side by side; the first that raises ends the others."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        for finished in asyncio.as_completed(tasks):
            await finished
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
