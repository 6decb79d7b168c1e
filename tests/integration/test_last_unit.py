"""More buyers than goods: what there is is sold once, to as many as it is enough for, and nobody holds a half order."""

import asyncio

import pytest
import pytest_asyncio

from tests.integration.books import agree
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage

pytestmark = pytest.mark.integration

UNITS = 10
BUYERS = 100


@pytest_asyncio.fixture
async def second(actors: dict[str, Actor], stage: Stage) -> Actor:
    """A second replica of inventory, beside the one that plays already."""
    return await stage.start("inventory")


async def buy(shop: LocalShop, lines: dict[str, int]) -> str:
    """Order, wait for the end, and say what it was: confirmed, or the reason why not."""
    order = await shop.bought(lines)
    assert order["settled"]
    return str(order["reason"] or order["status"])


async def test_of_two_buyers_one_gets_the_last_unit(shop: LocalShop, second: Actor, stage: Stage) -> None:
    """Whoever comes second is told that there is none, and pays nothing."""
    await stage.offer(violin=1)
    ends = await asyncio.gather(buy(shop, {"violin": 1}), buy(shop, {"violin": 1}))
    assert sorted(ends) == ["confirmed", "out_of_stock"]
    await agree(stage)


async def test_a_hundred_buyers_of_ten_pairs_in_opposite_orders(shop: LocalShop, second: Actor, stage: Stage) -> None:
    """Two lines each, named in opposite orders: ten pairs are sold, and no order holds one of the two."""
    await stage.offer(bow=UNITS, violin=UNITS)
    wanted = [{"bow": 1, "violin": 1}, {"violin": 1, "bow": 1}]
    ends = await asyncio.gather(*(buy(shop, wanted[number % 2]) for number in range(BUYERS)))
    assert ends.count("confirmed") == UNITS
    assert ends.count("out_of_stock") == BUYERS - UNITS
    assert await stage.auditor.count("inventory_service.stock", "sold = $1 AND available = 0", UNITS) == 2
    assert stage.auditor.deadlocks() == 0
    await agree(stage)


async def test_an_order_of_which_only_half_is_there_holds_nothing(shop: LocalShop, stage: Stage) -> None:
    """Enough bows and no violin: neither is held, and the bows go to the next."""
    await stage.offer(bow=1, violin=0)
    assert await buy(shop, {"bow": 1, "violin": 1}) == "out_of_stock"
    assert await buy(shop, {"bow": 1}) == "confirmed"
    await agree(stage)
