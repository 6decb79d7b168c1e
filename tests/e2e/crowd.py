"""A crowd of customers that place orders of every kind at once, and the check that it all adds up."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

import httpx

from scripts.shop import Shop

SKUS = ("rosin", "strings", "bow")
UNATTAINABLE = ("stradivarius", 2)
"""There is only one."""
CLIENTS = 50
ASKS_MAX = 120
"""A customer asks again while a service is away, every half second."""
ASK_AGAIN_S = 0.5
ENDS_AT_ONCE_MAX = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What one customer wants."""

    sku: str
    quantity: int
    token: str
    then_cancel: bool


@dataclass(slots=True)
class Ends:
    """What became of all orders."""

    by_end: Counter[tuple[str, str | None]] = field(default_factory=Counter)
    sold: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def wishes(count: int, seed: int) -> Iterator[Wish]:
    """Draw wishes of the four kinds in turn, over few SKUs."""
    draw = random.Random(seed)
    for number in range(count):
        token = draw.choice(("tok_declined", "tok_insufficient_funds")) if number % 4 == 1 else "tok_approved"
        sku = draw.choice(SKUS)
        yield Wish(*UNATTAINABLE, token, then_cancel=False) if number % 4 == 2 else Wish(sku, 1, token, number % 4 == 3)


async def place_all(shop: Shop, all_wishes: Iterator[Wish], placed: list[str]) -> None:
    """Place orders with `CLIENTS` clients at once; their ids go to `placed` as they are known."""

    async def client(number: int) -> None:
        for wish in all_wishes:
            lines, key = {wish.sku: wish.quantity}, str(uuid4())
            order = await _ask(partial(shop.place, lines, wish.token, f"customer-{number}", key))
            placed.append(order["order_id"])
            if wish.then_cancel:
                await _ask(partial(shop.cancel, order, str(uuid4())))

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))


async def all_ended(shop: Shop, placed: list[str]) -> Ends:
    """Wait until every order is settled, and hold each against the provider's own books."""
    ends, places = Ends(), asyncio.Semaphore(ENDS_AT_ONCE_MAX)

    async def end(order_id: str) -> None:
        async with places:
            order = await _ask(lambda: _settled(shop, order_id))
            captured, refunded = await _ask(lambda: shop.ledger(order_id))
        must_keep = order["total"]["amount"] if order["status"] == "confirmed" else 0
        if captured - refunded != must_keep:
            ends.wrong.append(f"{order_id} is {order['status']}, captured {captured}, refunded {refunded}")
        if order["status"] == "confirmed":
            ends.sold.update({line["sku"]: line["quantity"] for line in order["lines"]})
        ends.by_end[order["status"], order["reason"]] += 1

    await asyncio.gather(*map(end, placed))
    return ends


async def _settled(shop: Shop, order_id: str) -> dict[str, Any]:
    order = await shop.settled(order_id)
    if not order["settled"]:
        raise httpx.ReadTimeout(f"{order_id} is not settled yet")
    return order


async def _ask(question: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until there is an answer: a service that is away is no reason to lose an order."""
    for _ in range(ASKS_MAX):
        try:
            return await question()
        except httpx.HTTPError as error:
            last = error
            await asyncio.sleep(ASK_AGAIN_S)
    raise AssertionError(f"no answer after {ASKS_MAX} asks: {last}")
