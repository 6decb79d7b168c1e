"""A payment provider that does not answer: the order ends all the same, and in the end no money is kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from scripts.shop import Document
from tests.integration.books import agree
from tests.integration.shop import LocalShop
from tests.integration.stage import Stage
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.outage, pytest.mark.once]


@asynccontextmanager
async def frozen(stage: Stage) -> AsyncIterator[None]:
    """Stop the provider's process in its tracks: it takes connections, and says nothing."""
    stage.outside.provider.freeze()
    try:
        yield
    finally:
        stage.outside.provider.thaw()


async def cancelled(shop: LocalShop, order_id: str) -> Document:
    """Wait until an order is cancelled, settled or not."""

    async def look() -> Document:
        order = await shop.settled(order_id, wait_s=0)
        assert order["status"] == "cancelled"
        return order

    return await eventually(look)


async def payment_is(stage: Stage, status: str) -> None:
    """Wait until payment has got that far with the one order."""

    async def look() -> None:
        assert await stage.auditor.count("payment_service.payments", "status = $1", status) == 1

    await eventually(look)


async def undone(shop: LocalShop, stage: Stage, order_id: str) -> None:
    """Wait until everything is undone; the provider kept nothing, and the goods are for sale again."""
    assert (await shop.settled(order_id))["settled"]
    await agree(stage)
    captured, refunded = await shop.ledger(order_id)
    assert captured == refunded
    assert await stage.auditor.value("SELECT available FROM inventory_service.stock") == 1


async def test_the_deadline_ends_an_order_whose_payment_never_answers(stage: Stage) -> None:
    """It is cancelled while the provider is frozen, and not settled before the provider has closed the key."""
    actors = await stage.start_all()
    await stage.offer(violin=1)
    async with LocalShop(stage, actors) as shop:
        async with frozen(stage):
            order_id = (await shop.place({"violin": 1}, "tok_approved", f"c-{uuid4()}"))["order_id"]
            await payment_is(stage, "charging")
            await stage.auditor.rows("UPDATE order_service.intents SET due_at = now() WHERE kind = 'deadline'")
            order = await cancelled(shop, order_id)
            assert (order["reason"], order["settled"]) == ("deadline_passed", False)
            await payment_is(stage, "undoing")
        await undone(shop, stage, order_id)


async def test_a_provider_that_is_given_up_on_is_undone_later(stage: Stage) -> None:
    """After so many asks without an answer the payment is declined; whatever became of the charge is undone."""
    actors = await stage.start_all(charge_attempts_max=2)
    await stage.offer(violin=1)
    async with LocalShop(stage, actors) as shop:
        async with stage.outside.faults(error_rate=1.0):  # before or after it has done what it was asked
            order_id = (await shop.place({"violin": 1}, "tok_approved", f"c-{uuid4()}"))["order_id"]
            order = await cancelled(shop, order_id)
            assert (order["reason"], order["settled"]) == ("payment_declined", False)
            declined = "type = 'payment.declined.v1' AND payload->>'reason' = 'provider_silent'"
            assert await stage.auditor.count("payment_service.events", declined) == 1
        await undone(shop, stage, order_id)


async def test_a_deadline_is_withdrawn_by_the_verdict(shop: LocalShop, stage: Stage) -> None:
    """Once an order is confirmed or cancelled nothing waits for its deadline any more."""
    await stage.offer(violin=1)
    assert (await shop.bought({"violin": 1}))["status"] == "confirmed"
    assert (await shop.bought({"violin": 1}))["reason"] == "out_of_stock"
    assert await stage.auditor.count("order_service.intents") == 0
