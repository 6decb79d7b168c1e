"""What payment waits for, in every order in which it may come: the order, its stock, its cancellation."""

import asyncio
from itertools import permutations
from uuid import UUID

import pytest
import pytest_asyncio

from shared.event import Event
from shared.vocabulary.inventory import StockReserved
from shared.vocabulary.order import OrderCancelled, OrderPlaced
from tests.integration.asking import bought, cancel
from tests.integration.carrying import carried
from tests.integration.ends import CONFIRMED, cancelled, ends
from tests.integration.half import replica
from tests.integration.stage import Actor, Stage

pytestmark = pytest.mark.integration

VOIDED = cancelled("customer_request", "voided", "voided")
UNASKED = cancelled("customer_request", "voided")
"""Nothing stands in the provider's ledger: it has never heard of the order."""
PAYMENT_ROW = """
    INSERT INTO payment_service.payments (order_id, version, status) VALUES ($1, 1, 'awaiting_order')
"""
"""Held by a test, whoever wants to insert that payment waits; then it never happened."""
NEWS = (OrderPlaced, StockReserved, OrderCancelled)


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order, with inventory and notification beside it, one violin to be had, and nobody who charges."""
    await stage.offer(violin=1)
    return (await stage.start_some("order", "inventory", "notification"))["order"]


def name(kinds: tuple[type[Event], ...]) -> str:
    """Name a test by the order of its events."""
    return " ".join(kind.kind.name.partition(".")[2] for kind in kinds)


async def charges(stage: Stage, order_id: UUID) -> int:
    """Count how often a charge of an order was intended."""
    return await stage.auditor.count(
        "payment_service.events", "correlation_id = $1 AND type = 'payment.charge_intended.v1'", order_id
    )


@pytest.mark.parametrize("kinds", [*permutations(NEWS[:2])], ids=name)
async def test_the_order_and_its_stock_in_either_order(
    order: Actor, stage: Stage, kinds: tuple[type[Event], ...]
) -> None:
    """It charges when it knows both, once, and not before.

    Safeguard: each half of the news waits for the other.
    """
    order_id = await bought(order, violin=1)
    first, second = [await carried(stage.auditor, kind, order_id) for kind in kinds]
    async with replica(stage, "payment") as by_hand:
        await by_hand.shell.submit(first)
        assert await charges(stage, order_id) == 0
        await by_hand.shell.submit(second)
        assert await charges(stage, order_id) == 1
    await play_payment(stage)
    await ends(stage, order_id, CONFIRMED)


async def test_the_order_and_its_stock_at_once_at_two_replicas(order: Actor, stage: Stage) -> None:
    """Both find that payment knows nothing yet; one writes first, and the other sees what it wrote and charges.

    Safeguard: an order has one payment, which is inserted once.
    """
    order_id = await bought(order, violin=1)
    placed, reserved = [await carried(stage.auditor, kind, order_id) for kind in (OrderPlaced, StockReserved)]
    async with replica(stage, "payment") as one, replica(stage, "payment") as other:
        async with stage.auditor.held(PAYMENT_ROW, order_id):
            both = [
                one.shell.submit(placed),
                other.shell.submit(reserved),
            ]
            await stage.auditor.waiting("payment_service", 2)
        await asyncio.gather(*both)
    assert await charges(stage, order_id) == 1
    await play_payment(stage)
    await ends(stage, order_id, CONFIRMED)


@pytest.mark.parametrize("kinds", [*permutations(NEWS)], ids=name)
async def test_the_cancellation_between_the_two(order: Actor, stage: Stage, kinds: tuple[type[Event], ...]) -> None:
    """A cancellation that comes last is undone at the provider; one that comes earlier leaves nothing to charge.

    Safeguard: the tombstone of a payment that was cancelled before it was charged.
    """
    order_id = await bought(order, violin=1)
    await carried(stage.auditor, StockReserved, order_id)
    await cancel(order, order_id)
    items = [await carried(stage.auditor, kind, order_id) for kind in kinds]
    async with replica(stage, "payment") as by_hand:
        for item in items:
            await by_hand.shell.submit(item)
    undone = kinds[-1] is OrderCancelled
    assert await charges(stage, order_id) == int(undone)
    await play_payment(stage)
    await ends(stage, order_id, VOIDED if undone else UNASKED)


async def play_payment(stage: Stage) -> None:
    """Bring payment on the stage; what was intended by hand is its to carry out at once."""
    await stage.auditor.let_leases_pass("payment")
    await stage.start("payment")
