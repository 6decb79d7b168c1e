"""Many orders of every kind at once: whatever order things happen in, the books agree."""

import asyncio
import random
from uuid import uuid4

import pytest

from tests.integration.books import agree
from tests.integration.shop import LocalShop
from tests.integration.stage import Stage

pytestmark = pytest.mark.integration

ORDERS = 60
CLIENTS = 12
TOKENS = ("tok_approved", "tok_approved", "tok_declined", "tok_flaky")


async def test_many_orders_add_up(shop: LocalShop, stage: Stage) -> None:
    """Confirmed, declined, out of stock, cancelled at any moment: stock and money add up, no log has a gap."""
    await stage.offer(rosin=25, bow=25)
    chance = random.Random(7)
    kinds = [(chance.choice(TOKENS), chance.randint(1, 3), chance.random() < 0.3) for _ in range(ORDERS)]
    todo = iter(kinds)
    placed: list[str] = []

    async def client() -> None:
        for token, quantity, cancels in todo:
            order = await shop.place({"rosin": quantity, "bow": 1}, token, f"c-{uuid4()}")
            placed.append(order["order_id"])
            if cancels:
                await shop.cancel(order)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    settled = await asyncio.gather(*map(shop.settled, placed))
    assert all(order["settled"] for order in settled)
    assert {order["reason"] for order in settled} >= {None, "out_of_stock", "payment_declined", "customer_request"}
    await agree(stage)


async def test_a_customer_may_change_their_mind_at_any_moment(shop: LocalShop, stage: Stage) -> None:
    """Cancelled before, while and after it is confirmed, each order is undone once and completely."""
    await stage.offer(rosin=100)

    async def buy_and_cancel(looks: int) -> None:
        order = await shop.place({"rosin": 1}, "tok_approved", f"c-{uuid4()}")
        order_id = order["order_id"]
        for _ in range(looks):
            await shop.settled(order_id, wait_s=0)
        await shop.cancel(order)
        assert (await shop.settled(order_id))["reason"] == "customer_request"

    await asyncio.gather(*(buy_and_cancel(looks) for looks in range(0, 40, 2)))
    await agree(stage)
    assert await stage.auditor.value("SELECT available FROM inventory_service.stock WHERE sku = 'rosin'") == 100
