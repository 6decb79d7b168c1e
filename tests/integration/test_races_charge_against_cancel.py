"""The charge against the cancellation: whichever is first at the provider, in the end nothing of the money is kept."""

import pytest
import pytest_asyncio

from tests.integration.asking import bought, cancel
from tests.integration.ends import becomes, cancelled, ends, ignored, settles
from tests.integration.gates import GatedProvider, gated_payment
from tests.integration.stage import Actor, Stage
from tests.waiting import eventually

pytestmark = pytest.mark.integration

PUT_OFF = """
    UPDATE payment_service.intents SET due_at = now() + interval '1 hour'
    WHERE kind = 'charge' AND leased_until IS NULL RETURNING intent_id
"""
CHARGE_ANSWERED = "payment.charge_answered.v1"
UNDONE = "the order is cancelled: the undo decides"
VOIDED = cancelled("customer_request", "voided", "voided")
REFUNDED = cancelled("customer_request", "refunded", "captured", "refunded")


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order, with inventory and notification beside it, and one violin to be had."""
    await stage.offer(violin=1)
    return (await stage.start_some("order", "inventory", "notification"))["order"]


async def test_a_charge_that_leaves_after_the_undo_is_refused(
    order: Actor, provider: GatedProvider, stage: Stage
) -> None:
    """The provider closes the key for good: what was on its way for so long finds it closed.

    Safeguard: the key that an undo closes, at the provider.
    """
    provider.charge_leaves.close()
    order_id = await bought(order, violin=1)
    await provider.charge_leaves.reached()
    await cancel(order, order_id)
    await settles(stage.auditor, order_id)
    provider.charge_leaves.open()
    await ignored(stage.auditor, "payment", CHARGE_ANSWERED, UNDONE)
    await ends(stage, order_id, VOIDED)


async def test_a_capture_that_is_told_after_the_undo_is_refunded(
    order: Actor, provider: GatedProvider, stage: Stage
) -> None:
    """The provider has the money before payment knows: the undo refunds it, and the late answer changes nothing.

    Safeguard: once a charge is intended, a cancellation goes through the provider's undo.
    """
    provider.charge_answers.close()
    order_id = await bought(order, violin=1)
    await provider.charge_answers.reached()
    await cancel(order, order_id)
    await settles(stage.auditor, order_id)
    provider.charge_answers.open()
    await ignored(stage.auditor, "payment", CHARGE_ANSWERED, UNDONE)
    await ends(stage, order_id, REFUNDED)


async def test_a_capture_that_is_told_while_it_is_undone_changes_nothing(
    order: Actor, provider: GatedProvider, stage: Stage
) -> None:
    """Between the cancellation and the provider's word on the undo, "captured" is no news, and confirms nothing.

    Safeguard: a payment that is being undone ignores what becomes of its charge.
    """
    provider.charge_answers.close()
    provider.undo_answers.close()
    order_id = await bought(order, violin=1)
    await provider.charge_answers.reached()
    await cancel(order, order_id)
    await provider.undo_answers.reached()
    provider.charge_answers.open()
    await ignored(stage.auditor, "payment", CHARGE_ANSWERED, UNDONE)
    assert not (await stage.auditor.order(order_id))["settled"]
    provider.undo_answers.open()
    await ends(stage, order_id, REFUNDED)


async def test_a_charge_between_two_asks_is_not_asked_again(
    order: Actor, provider: GatedProvider, stage: Stage
) -> None:
    """Its answer got lost, and its next turn is an hour away: the undo does not wait behind it.

    Safeguard: the cancellation withdraws the intent to charge.
    """
    provider.loses_answers = True
    order_id = await bought(order, violin=1)

    async def put_off() -> None:
        assert await stage.auditor.rows(PUT_OFF)

    await eventually(put_off)
    await cancel(order, order_id)
    await ends(stage, order_id, REFUNDED)


async def test_a_charge_that_was_given_up_on_is_refunded(order: Actor, stage: Stage) -> None:
    """Declined for the provider's silence, while the provider has the money: the cancellation that follows undoes it.

    Safeguard: a declined payment is undone through the provider, like any other that was intended.
    """
    async with gated_payment(stage, attempts_max=1) as (_, provider):
        provider.loses_answers = True
        order_id = await bought(order, violin=1)
        await becomes(stage.auditor, order_id, "cancelled")
        await ends(stage, order_id, cancelled("payment_declined", "refunded", "captured", "refunded"))
