"""A small open loop of orders: each arrives when it is drawn to, whether or not those before it were answered."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx

from scripts.chaos.schedule import PLENTY, Arrival
from scripts.shop import Shop

PATIENCE_S = 420.0
"""So long a customer asks again, under the same idempotency key; longer than any outage that is made here."""
ASK_AGAIN_MIN_S, ASK_AGAIN_MAX_S = 0.1, 2.0
IN_FLIGHT_MAX_ORDERS = 2_000
"""More are not begun, and counted."""
ASKING_MAX = 80
"""So many requests are under way at once; others wait for their turn here. The client has 100 connections, and where
thousands queue for one of them it does nothing any more but look through its queue."""
NOT_NOW = frozenset({409, 429, 503})
"""In flight already, or not now: the answers of a service that is cut off, and says so."""
STOCK_MIN, RECEIPT_MAX = 5_000, 1_000
"""So much is there of each SKU when an experiment begins; inventory takes no more with one receipt."""
NO_ANSWER = "no answer"


class Load:
    """Places orders until it is told to stop, and remembers what it was answered."""

    def __init__(self, shop: Shop, arrivals: Iterable[Arrival]) -> None:
        self.customer = f"chaos-{uuid4()}"
        self.placed: list[str] = []
        """The ids of orders that were answered 201."""
        self.lost = 0
        """Orders whose customers lost patience: nobody knows whether they were placed."""
        self.held_back = 0
        self.answers: Counter[str] = Counter()
        self.by_second: Counter[tuple[int, bool]] = Counter()
        """How many requests were answered with success, or not, in each second since the beginning."""
        self._shop = shop
        self._arrivals = arrivals
        self._began_s = monotonic()
        self._arriving: asyncio.Task[None] | None = None
        self._in_flight: set[asyncio.Task[None]] = set()
        self._asking = asyncio.Semaphore(ASKING_MAX)
        self._open = asyncio.Event()
        self._open.set()

    def begin(self) -> None:
        """Let orders arrive."""
        self._began_s = monotonic()
        self._arriving = asyncio.create_task(self._arrive())

    @property
    def is_open(self) -> bool:
        """Whether orders arrive once they have begun to."""
        return self._open.is_set()

    def pause(self) -> None:
        """Let none arrive until it goes on; those in flight ask on."""
        self._open.clear()

    def go_on(self) -> None:
        """Let orders arrive again; those of the pause never come."""
        self._open.set()

    async def end(self) -> None:
        """Let none arrive any more, and wait for those in flight; each customer's patience has an end."""
        await self._cancel([self._arriving] if self._arriving else [])
        await asyncio.gather(*self._in_flight)

    async def abandon(self) -> None:
        """Let everything go at once: somebody pressed Ctrl-C. Orders that were placed go on to their ends."""
        await self._cancel([*([self._arriving] if self._arriving else []), *self._in_flight])

    async def _cancel(self, tasks: Iterable[asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _arrive(self) -> None:
        due_s = monotonic()
        for arrival in self._arrivals:
            due_s += arrival.after_s
            await asyncio.sleep(max(0.0, due_s - monotonic()))
            if not self.is_open:
                await self._open.wait()
                due_s = monotonic()
            if len(self._in_flight) >= IN_FLIGHT_MAX_ORDERS:
                self.held_back += 1
                continue
            task = asyncio.create_task(self._visit(arrival))
            self._in_flight.add(task)
            task.add_done_callback(self._in_flight.discard)

    async def _visit(self, arrival: Arrival) -> None:
        key = f"{self.customer} {arrival.number}"
        place = partial(self._shop.place, arrival.quantities, arrival.token, self.customer, key)
        order = await self._ask(place, key)
        if order is None:
            self.lost += 1
            return
        self.placed.append(order["order_id"])
        if arrival.cancels:
            await self._ask(partial(self._shop.cancel, order, f"{key} cancel"), key)

    async def _ask(self, question: Any, seed: str) -> dict[str, Any] | None:
        """Ask until there is an answer that settles it, or patience ends; None then, and where it is refused."""
        chance, ends_s = random.Random(seed), monotonic() + PATIENCE_S
        while monotonic() < ends_s:
            told = NO_ANSWER
            with suppress(httpx.TransportError):
                try:
                    async with self._asking:
                        document: dict[str, Any] = await question()
                except httpx.HTTPStatusError as error:
                    told = str(error.response.status_code)
                else:
                    self._note("2xx", well=True)
                    return document
            self._note(told, well=False)
            if told != NO_ANSWER and int(told) not in NOT_NOW and int(told) < httpx.codes.INTERNAL_SERVER_ERROR:
                return None
            await asyncio.sleep(chance.uniform(ASK_AGAIN_MIN_S, ASK_AGAIN_MAX_S))
        return None

    def _note(self, told: str, *, well: bool) -> None:
        self.answers[told] += 1
        self.by_second[int(monotonic() - self._began_s), well] += 1


async def stock_up(shop: Shop) -> None:
    """Bring goods wherever they would run out, as an operator does.

    Raises:
        httpx.HTTPError: inventory does not answer.
    """
    for sku in PLENTY:
        available = (await shop.stock(sku))["available"]
        for _ in range(available, STOCK_MIN, RECEIPT_MAX):
            await shop.receive(sku, RECEIPT_MAX)
