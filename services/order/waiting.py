"""Callers that wait for orders to settle: this process's commits tell them, and one look for all of them at once.

However many wait, a look is one query: for those that came since the last look at once, for the others at intervals,
because another replica may have settled their order.
"""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from uuid import UUID

from loguru import logger
from sqlalchemy.ext.asyncio import AsyncEngine

from services.order.state import Order
from services.order.store import find, find_all
from shared.batch import Answered
from shared.outcome import Advanced
from shared.ports import WorldError
from shared.shell import Committed

LOOK_MAX_ORDERS = 1_000


class SettledWaiters:
    """Knows who waits for which order. The looking goes on only while somebody waits."""

    def __init__(self, engine: AsyncEngine, poll_s: float) -> None:
        self._engine = engine
        self._poll_s = poll_s
        self._waiting: dict[UUID, dict[asyncio.Future[Order | None], str | None]] = {}
        """By order: everybody who waits for it, and as whom."""
        self._newcomers: set[UUID] = set()
        self._newcomer = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    def committed(self, committed: Committed) -> None:
        """Tell those who wait for an order that this process has just settled."""
        if not self._waiting:
            return
        for result in committed.results:
            outcome = result.outcome if isinstance(result, Answered) else result
            if isinstance(outcome, Advanced) and isinstance(outcome.state, Order) and outcome.state.settled:
                self._tell(outcome.state.order_id, outcome.state)

    async def wait(self, order_id: UUID, timeout_s: float, customer_id: str | None) -> Order | None:
        """Give the order once it is settled, or as it is after `timeout_s` seconds; None if there is none.

        A customer learns of another's order as soon as of one that does not exist: how long it takes tells nothing.
        `customer_id` is None for the operator. What is given may be another's all the same.
        """
        with self._waiter(order_id, customer_id) as told:
            try:
                return await asyncio.wait_for(told, timeout_s)
            except TimeoutError:
                return await find(self._engine, order_id)

    @contextmanager
    def _waiter(self, order_id: UUID, customer_id: str | None) -> Iterator[asyncio.Future[Order | None]]:
        told: asyncio.Future[Order | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(order_id, {})[told] = customer_id
        self._newcomers.add(order_id)
        self._newcomer.set()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_for_ever())
        try:
            yield told
        finally:
            if waiters := self._waiting.get(order_id):
                waiters.pop(told, None)
                if not waiters:
                    del self._waiting[order_id]

    async def _look_for_ever(self) -> None:
        now_s = asyncio.get_running_loop().time
        look_at_all_at_s = now_s() + self._poll_s
        while self._waiting:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(look_at_all_at_s):
                    await self._newcomer.wait()
            newcomers = self._newcomers & self._waiting.keys()
            self._newcomer.clear()
            self._newcomers.clear()
            try:
                await self._look(newcomers)
                if now_s() >= look_at_all_at_s:  # also when newcomers never cease
                    look_at_all_at_s = now_s() + self._poll_s
                    await self._look_for_settled(self._waiting.keys() - newcomers)
            except WorldError as error:
                self._newcomers |= newcomers
                logger.warning("no look at the orders that callers wait for: {}", error)

    async def _look(self, wanted: Iterable[UUID]) -> None:
        """Tell newcomers of an order that is settled already, or that does not exist for them."""
        for some in _lots(wanted):
            found = await find_all(self._engine, some)
            for order_id in some:
                order = found.get(order_id)
                if order is None or order.settled:
                    self._tell(order_id, order)
                else:
                    self._turn_away_strangers(order)

    async def _look_for_settled(self, wanted: Iterable[UUID]) -> None:
        for some in _lots(wanted):
            for order_id, order in (await find_all(self._engine, some, settled=True)).items():
                if order.settled:
                    self._tell(order_id, order)

    def _turn_away_strangers(self, order: Order) -> None:
        for told, customer_id in self._waiting.get(order.order_id, {}).items():
            if customer_id not in (None, order.customer_id) and not told.done():
                told.set_result(None)

    def _tell(self, order_id: UUID, order: Order | None) -> None:
        for told in self._waiting.get(order_id, ()):
            if not told.done():
                told.set_result(order)


def _lots(order_ids: Iterable[UUID]) -> Iterator[list[UUID]]:
    rest = iter(list(order_ids))
    while some := list(islice(rest, LOOK_MAX_ORDERS)):
        yield some
