"""A payment provider that is away for long: every order ends, and once it is back nothing is kept that must not be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from tests.integration.books import agree
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.outage, pytest.mark.once]

PATIENCE_S = 3.0
ORDERS = 20


@asynccontextmanager
async def away(stage: Stage) -> AsyncIterator[None]:
    """Kill the provider's process; it is back, with its ledger, at the end of the block."""
    await stage.outside.provider.kill()
    try:
        yield
    finally:
        await stage.outside.provider.start()


async def place(shop: LocalShop, count: int) -> list[str]:
    """Place orders of one rosin each."""
    placed = [shop.place({"rosin": 1}, "tok_approved", f"c-{uuid4()}") for _ in range(count)]
    return [order["order_id"] for order in await asyncio.gather(*placed)]


async def all_cancelled(stage: Stage, count: int) -> None:
    """Wait until so many orders are cancelled for the provider's silence, and their undoing waits."""

    async def look() -> None:
        declined = "type = 'payment.declined.v1' AND payload->>'reason' = 'provider_silent'"
        assert await stage.auditor.count("payment_service.events", declined) == count
        assert await stage.auditor.count("order_service.orders", "status = 'cancelled' AND NOT settled") == count
        assert await stage.auditor.count("payment_service.intents", "kind = 'undo'") == count

    await eventually(look)


async def is_left_in_peace(stage: Stage, kind: str) -> None:
    """Wait until all intents of a kind have come to a breaker that is open."""

    async def look() -> None:
        assert await stage.auditor.count("payment_service.intents", "kind = $1", kind)
        assert not await stage.auditor.count(
            "payment_service.intents", "kind = $1 AND last_error NOT LIKE '%left in peace%'", kind
        )

    await eventually(look)


async def test_orders_of_a_long_absence_end_right(stage: Stage) -> None:
    """They are declined when payment's patience ends, cancelled, and undone when the provider is back; and no sooner.

    It is not asked for each of them all the while, and payment is ready: it needs no provider to be.
    """
    actors = await stage.start_all(charge_patience_s=PATIENCE_S, charge_attempts_max=100)
    await stage.offer(rosin=ORDERS + 1)
    async with LocalShop(stage, actors) as shop:
        async with away(stage):
            order_ids = await place(shop, ORDERS)
            await all_cancelled(stage, ORDERS)
            await is_left_in_peace(stage, "undo")
            assert (await actors["payment"].http.get("/readyz")).status_code == 200
        settled = await asyncio.gather(*map(shop.settled, order_ids))
        assert {order["status"] for order in settled} == {"cancelled"}
        lines = await stage.outside.ledger(stage.ledger_after)
        assert sorted((line["key"], line["kind"]) for line in lines) == [(key, "voided") for key in sorted(order_ids)]
        assert (await shop.bought({"rosin": 1}))["status"] == "confirmed"
        await agree(stage)


async def test_orders_of_a_short_absence_are_confirmed(stage: Stage) -> None:
    """They wait for it, and nobody is given up on."""
    actors = await stage.start_all()
    await stage.offer(rosin=ORDERS)
    async with LocalShop(stage, actors) as shop:
        async with away(stage):
            order_ids = await place(shop, ORDERS)
            await is_left_in_peace(stage, "charge")
        settled = await asyncio.gather(*map(shop.settled, order_ids))
        assert {order["status"] for order in settled} == {"confirmed"}
        await agree(stage)


@pytest.fixture
async def impatient(stage: Stage) -> dict[str, Actor]:
    """Everybody, with a payment that asks once."""
    return await stage.start_all(charge_attempts_max=1)


async def test_a_charge_that_was_captured_in_silence_is_refunded_once(
    stage: Stage, impatient: dict[str, Actor]
) -> None:
    """The money was taken and nobody was told: the payment is declined, and the undo gives it back, once."""
    await stage.offer(rosin=1)
    async with LocalShop(stage, impatient) as shop:
        async with stage.outside.faults(timeout_rate=1.0):
            (order_id,) = await place(shop, 1)
            await all_cancelled(stage, 1)
        assert (await shop.settled(order_id))["status"] == "cancelled"
        lines = await stage.outside.ledger(stage.ledger_after)
        assert sorted(line["kind"] for line in lines if line["amount"]) == ["captured", "refunded"]
        assert (await shop.payment(order_id))["status"] == "refunded"
        await agree(stage)
