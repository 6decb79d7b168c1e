"""Callers that wait for orders to settle: woken by this process's commits, and by one look for all of them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from loguru import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from services.order.state import Order
from services.order.store import find, find_all
from shared.ports import WorldError
from shared.shell import Committed


class SettledWaiters:
    """Knows who waits for which order. The looking goes on only while somebody waits."""

    def __init__(self, engine: AsyncEngine, poll_s: float) -> None:
        self._engine = engine
        self._poll_s = poll_s
        self._waiting: dict[UUID, set[asyncio.Event]] = {}
        self._looking: asyncio.Task[None] | None = None

    def committed(self, committed: Committed) -> None:
        """Wake those who wait for an order that this process has just changed."""
        if self._waiting:
            for item in committed.items:
                self._wake(item.envelope.correlation_id)

    async def wait(self, order_id: UUID, timeout_s: float) -> Order | None:
        """Give the order once it is settled, or as it is after `timeout_s` seconds."""
        with self._woken(order_id) as woken:
            deadline_s = asyncio.get_running_loop().time() + timeout_s
            while True:
                woken.clear()
                order = await find(self._engine, order_id)
                if order is None or order.settled:
                    return order
                try:
                    async with asyncio.timeout_at(deadline_s):
                        await woken.wait()
                except TimeoutError:
                    return order

    @contextmanager
    def _woken(self, order_id: UUID) -> Iterator[asyncio.Event]:
        woken = asyncio.Event()
        self._waiting.setdefault(order_id, set()).add(woken)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield woken
        finally:
            self._waiting[order_id].discard(woken)
            if not self._waiting[order_id]:
                del self._waiting[order_id]

    async def _look(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._poll_s)
            try:
                found = await find_all(self._engine, list(self._waiting))
            except WorldError as error:
                logger.warning("no look at the orders that callers wait for: {}", error)
                continue
            for order in found.values():
                if order.settled:
                    self._wake(order.order_id)

    def _wake(self, order_id: UUID) -> None:
        for woken in self._waiting.get(order_id, ()):
            woken.set()
