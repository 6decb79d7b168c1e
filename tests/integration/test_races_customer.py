"""The customer against the dance: a cancellation may come at any moment, twice, and from two replicas at once."""

import asyncio
from uuid import UUID

import pytest
import pytest_asyncio

from services.order.events import CancellationRequested
from shared.batch import Item
from shared.envelope import Envelope
from shared.ids import new_id
from shared.vocabulary.inventory import StockCommitted, StockReleased
from shared.vocabulary.order import OrderCancelled, OrderConfirmed
from shared.vocabulary.payment import PaymentCaptured
from tests.integration.asking import bought, cancel
from tests.integration.carrying import ORDER_ROW, carried
from tests.integration.ends import becomes, cancelled, ends, ignored
from tests.integration.gates import GatedProvider
from tests.integration.half import replica
from tests.integration.stage import Actor, Stage

pytestmark = pytest.mark.integration

REFUNDED = cancelled("customer_request", "refunded", "captured", "refunded")
TOLD_BOTH = cancelled("customer_request", "refunded", "captured", "refunded", confirmed=True)


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order, with notification beside it, and one violin to be had."""
    await stage.offer(violin=1)
    return (await stage.start_some("order", "notification"))["order"]


@pytest_asyncio.fixture
async def inventory(stage: Stage) -> Actor:
    """Inventory, which some tests send away and bring back."""
    return await stage.start("inventory")


async def captured(order: Actor, provider: GatedProvider) -> UUID:
    """Place an order whose money is at the provider already, and nobody else knows."""
    provider.charge_answers.close()
    order_id = await bought(order, violin=1)
    await provider.charge_answers.reached()
    return order_id


@pytest.mark.parametrize("first", ["customer", "capture"])
async def test_a_cancellation_against_the_confirmation(
    order: Actor, inventory: Actor, provider: GatedProvider, stage: Stage, first: str
) -> None:
    """Two replicas stand before the order's row: cancelled pending or cancelled confirmed, it ends refunded.

    Safeguard: the order's row is locked, so the second sees what the first has judged.
    """
    order_id = await captured(order, provider)
    async with replica(stage, "order") as other:
        wish = Item(Envelope(new_id(), CancellationRequested(order_id=order_id), order_id))
        async with stage.auditor.held(ORDER_ROW, order_id):
            if first == "customer":
                asked = other.shell.submit(wish)
                await stage.auditor.waiting("order_service", 1)
            provider.charge_answers.open()
            await stage.auditor.waiting("order_service", 2 if first == "customer" else 1)
            if first == "capture":
                asked = other.shell.submit(wish)
                await stage.auditor.waiting("order_service", 2)
        await asked
    await ends(stage, order_id, REFUNDED if first == "customer" else TOLD_BOTH)


async def confirmed_without_inventory(order: Actor, inventory: Actor, provider: GatedProvider, stage: Stage) -> UUID:
    """Confirm an order, and cancel it, while inventory has reserved and knows nothing of either."""
    order_id = await captured(order, provider)
    await inventory.stop()
    provider.charge_answers.open()
    await becomes(stage.auditor, order_id, "confirmed")
    await cancel(order, order_id)
    return order_id


async def test_the_confirmation_reaches_inventory_before_the_cancellation(
    order: Actor, inventory: Actor, provider: GatedProvider, stage: Stage
) -> None:
    """It sells what it holds, and puts it for sale again; "committed" comes to a cancelled order, and settles nothing.

    Safeguard: a release gives back what was sold; a late commitment never settles a cancelled order.
    """
    order_id = await confirmed_without_inventory(order, inventory, provider, stage)
    async with replica(stage, "inventory") as by_hand:
        await by_hand.shell.submit(await carried(stage.auditor, OrderConfirmed, order_id))
        await ignored(stage.auditor, "order", StockCommitted.kind.type, "cancelled meanwhile")
        assert not (await stage.auditor.order(order_id))["settled"]
        await by_hand.shell.submit(await carried(stage.auditor, OrderCancelled, order_id))
    await stage.start("inventory")
    await ends(stage, order_id, TOLD_BOTH)


async def test_the_cancellation_reaches_inventory_before_the_confirmation(
    order: Actor, inventory: Actor, provider: GatedProvider, stage: Stage
) -> None:
    """It lets go of what it holds, and when the confirmation comes it sells nothing.

    Safeguard: a reservation that was released is never committed.
    """
    order_id = await confirmed_without_inventory(order, inventory, provider, stage)
    async with replica(stage, "inventory") as by_hand:
        await by_hand.shell.submit(await carried(stage.auditor, OrderCancelled, order_id))
        await by_hand.shell.submit(await carried(stage.auditor, OrderConfirmed, order_id))
    await stage.start("inventory")
    await ignored(stage.auditor, "inventory", OrderConfirmed.kind.type, "the order was cancelled after")
    await ends(stage, order_id, TOLD_BOTH)
    assert await stage.auditor.count("inventory_service.events", "type = 'stock.committed.v1'") == 0


@pytest.mark.parametrize("late", [False, True], ids=["in order", "committed is last"])
async def test_a_cancellation_against_the_commitment(
    order: Actor, inventory: Actor, provider: GatedProvider, stage: Stage, late: bool
) -> None:
    """The stock is sold, order does not know, and is asked to cancel: whichever news comes last, it ends released.

    Safeguard: a late commitment never settles a cancelled order, nor opens a book that is closed.
    """
    order_id = await captured(order, provider)
    await order.stop()
    provider.charge_answers.open()
    async with replica(stage, "order") as by_hand:
        await by_hand.shell.submit(await carried(stage.auditor, PaymentCaptured, order_id))
        committed = await carried(stage.auditor, StockCommitted, order_id)
        await by_hand.shell.submit(Item(Envelope(new_id(), CancellationRequested(order_id=order_id), order_id)))
        released = await carried(stage.auditor, StockReleased, order_id)
        for item in (released, committed) if late else (committed, released):
            await by_hand.shell.submit(item)
    assert (await stage.auditor.order(order_id))["stock"] == "released"
    await stage.start("order")
    await ends(stage, order_id, TOLD_BOTH)


async def test_two_cancellations_at_once_at_two_replicas(
    order: Actor, inventory: Actor, provider: GatedProvider, stage: Stage
) -> None:
    """Both customers' requests are answered, and the order is cancelled once: one event, one undo, one mail.

    Safeguard: the order's row is locked, and what is cancelled is not cancelled again.
    """
    other = await stage.start("order")
    order_id = await bought(order, violin=1)
    await becomes(stage.auditor, order_id, "confirmed")
    await stage.auditor.quiescent()
    async with stage.auditor.held(ORDER_ROW, order_id):
        both = [asyncio.create_task(cancel(one, order_id)) for one in (order, other)]
        await stage.auditor.waiting("order_service", 2)
    await asyncio.gather(*both)
    await ignored(stage.auditor, "order", "order.cancellation_requested.v1", "cancelled already")
    await ends(stage, order_id, TOLD_BOTH)
