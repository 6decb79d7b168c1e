"""The deadline against the capture: the order's row decides, and what the loser did is undone or ignored."""

from uuid import UUID

import pytest
import pytest_asyncio

from services.order.events import DeadlinePassed
from shared.batch import Item
from shared.envelope import Envelope
from shared.ids import new_id
from tests.integration.asking import bought
from tests.integration.carrying import ORDER_ROW, deadline_of
from tests.integration.ends import CONFIRMED, becomes, cancelled, ends, ignored, settles
from tests.integration.gates import GatedProvider
from tests.integration.half import replica
from tests.integration.stage import Actor, Stage

pytestmark = pytest.mark.integration

CAPTURED, PASSED = "payment.captured.v1", "order.deadline_passed.v1"
IN_TIME = "the verdict came in time"
TOO_LATE = "cancelled already: payment undoes it on order.cancelled"
REFUNDED = cancelled("deadline_passed", "refunded", "captured", "refunded")


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order, with inventory and notification beside it, and one violin to be had."""
    await stage.offer(violin=1)
    return (await stage.start_some("order", "inventory", "notification"))["order"]


async def charging(order: Actor, provider: GatedProvider) -> UUID:
    """Place an order whose money is at the provider already, and nobody else knows."""
    provider.charge_answers.close()
    order_id = await bought(order, violin=1)
    await provider.charge_answers.reached()
    return order_id


def passed(order_id: UUID, deadline: UUID) -> Item:
    """What a worker brings home that has claimed a deadline."""
    return Item(Envelope(new_id(), DeadlinePassed(order_id=order_id), order_id), completes=deadline)


async def test_a_capture_after_the_deadline_is_refunded(order: Actor, provider: GatedProvider, stage: Stage) -> None:
    """The order timed out while the provider had the money: it is undone, and "captured" confirms nothing.

    Safeguard: once a charge is intended, a cancellation goes through the provider's undo.
    """
    order_id = await charging(order, provider)
    await stage.auditor.let_deadlines_pass()
    await settles(stage.auditor, order_id)
    provider.charge_answers.open()
    await ignored(stage.auditor, "payment", "payment.charge_answered.v1", "the order is cancelled")
    await ends(stage, order_id, REFUNDED)


async def test_a_deadline_that_was_claimed_before_the_capture_changes_nothing(
    order: Actor, provider: GatedProvider, stage: Stage
) -> None:
    """Its worker brings it home when the order is confirmed and it has been withdrawn: it comes too late.

    Safeguard: a deadline cancels what is pending, and nothing else.
    """
    order_id = await charging(order, provider)
    late = passed(order_id, await deadline_of(stage.auditor, order_id))
    provider.charge_answers.open()
    await becomes(stage.auditor, order_id, "confirmed")
    async with replica(stage, "order") as worker:
        await worker.shell.submit(late)
    await ignored(stage.auditor, "order", PASSED, IN_TIME)
    await ends(stage, order_id, CONFIRMED)


async def test_both_at_once_and_the_capture_is_first(order: Actor, provider: GatedProvider, stage: Stage) -> None:
    """Two replicas stand before the order's row, and the capture gets it first: the deadline finds it confirmed.

    Safeguard: the order's row is locked, so the second judge sees the verdict of the first.
    """
    order_id = await charging(order, provider)
    late = passed(order_id, await deadline_of(stage.auditor, order_id))
    async with replica(stage, "order") as worker:
        async with stage.auditor.held(ORDER_ROW, order_id):
            provider.charge_answers.open()
            await stage.auditor.waiting("order_service", 1)
            second = worker.shell.submit(late)
            await stage.auditor.waiting("order_service", 2)
        await second
    await ignored(stage.auditor, "order", PASSED, IN_TIME)
    await ends(stage, order_id, CONFIRMED)


async def test_both_at_once_and_the_deadline_is_first(order: Actor, provider: GatedProvider, stage: Stage) -> None:
    """Two replicas stand before the order's row, and the deadline gets it first: the capture finds it cancelled.

    Safeguard: the order's row is locked, so the second judge sees the verdict of the first.
    """
    order_id = await charging(order, provider)
    first = passed(order_id, await deadline_of(stage.auditor, order_id))
    async with replica(stage, "order") as worker:
        async with stage.auditor.held(ORDER_ROW, order_id):
            decided = worker.shell.submit(first)
            await stage.auditor.waiting("order_service", 1)
            provider.charge_answers.open()
            await stage.auditor.waiting("order_service", 2)
        await decided
    await ignored(stage.auditor, "order", CAPTURED, TOO_LATE)
    await ends(stage, order_id, REFUNDED)
