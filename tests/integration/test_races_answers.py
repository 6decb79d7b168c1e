"""Two words of the provider on one key: two workers ask, and whichever answer is brought home first counts."""

import pytest
import pytest_asyncio

from shared.vocabulary.payment import PaymentDeclined
from tests.integration.asking import bought, cancel
from tests.integration.carrying import ORDER_ROW, carried
from tests.integration.ends import CONFIRMED, cancelled, ends, ignored, settles
from tests.integration.gates import GatedProvider, gated_payment, second_worker
from tests.integration.stage import Actor, Stage

pytestmark = pytest.mark.integration

CHARGE_ANSWERED, UNDO_ANSWERED = "payment.charge_answered.v1", "payment.undo_answered.v1"
PAYMENT_ROW = "SELECT FROM payment_service.payments WHERE order_id = $1 FOR UPDATE"


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order, with inventory and notification beside it, and one violin to be had."""
    await stage.offer(violin=1)
    return (await stage.start_some("order", "inventory", "notification"))["order"]


async def test_captured_after_declined(order: Actor, stage: Stage) -> None:
    """One worker gives up on a silent provider, and then the other brings "captured": it is undone all the same.

    Safeguards: a declined payment ignores every later answer, and is undone through the provider.
    """
    async with gated_payment(stage, attempts_max=1) as (_, silent):
        silent.charge_answers.close()
        silent.loses_answers = True
        order_id = await bought(order, violin=1)
        await silent.charge_answers.reached()
        other = second_worker(stage, lambda provider: provider.charge_answers)
        async with other as captured, stage.auditor.held(ORDER_ROW, order_id):  # nothing is undone yet
            silent.charge_answers.open()
            await carried(stage.auditor, PaymentDeclined, order_id)
            captured.open()
            await ignored(stage.auditor, "payment", CHARGE_ANSWERED, "declined already")
        await ends(stage, order_id, cancelled("payment_declined", "refunded", "captured", "refunded"))


async def test_declined_after_captured(order: Actor, stage: Stage) -> None:
    """One worker brings "captured", and then the other gives up on a silent provider: the order stays confirmed.

    Safeguard: a captured payment ignores every later answer.
    """
    async with gated_payment(stage, attempts_max=1) as (_, silent):
        silent.charge_answers.close()
        silent.loses_answers = True
        order_id = await bought(order, violin=1)
        await silent.charge_answers.reached()
        async with second_worker(stage, lambda provider: provider.charge_answers) as captured:
            captured.open()
            await settles(stage.auditor, order_id)
            silent.charge_answers.open()
            await ignored(stage.auditor, "payment", CHARGE_ANSWERED, "captured already")
        await ends(stage, order_id, CONFIRMED)


async def test_the_same_answer_from_two_workers_at_once(order: Actor, provider: GatedProvider, stage: Stage) -> None:
    """Both have asked, and both bring home that the money is there: it is told once.

    Safeguard: an answer's id is derived from what it says, so the inbox drops the second.
    """
    provider.charge_answers.close()
    order_id = await bought(order, violin=1)
    await provider.charge_answers.reached()
    other = second_worker(stage, lambda provider: provider.charge_answers)
    async with other as others, stage.auditor.held(PAYMENT_ROW, order_id):
        provider.charge_answers.open()
        others.open()
        await stage.auditor.waiting("payment_service", 2)
    await ends(stage, order_id, CONFIRMED)
    assert await stage.auditor.count("payment_service.inbox", "type = $1", CHARGE_ANSWERED) == 1


async def test_the_same_undo_from_two_workers_at_once(order: Actor, provider: GatedProvider, stage: Stage) -> None:
    """Both have had the provider close the key, and both bring home what it took: one refund, told once.

    Safeguards: the provider undoes a key once; an answer's id is derived from what it says.
    """
    provider.undo_answers.close()
    order_id = await bought(order, violin=1)
    await settles(stage.auditor, order_id)
    await cancel(order, order_id)
    await provider.undo_answers.reached()
    other = second_worker(stage, lambda provider: provider.undo_answers)
    async with other as others, stage.auditor.held(PAYMENT_ROW, order_id):
        provider.undo_answers.open()
        others.open()
        await stage.auditor.waiting("payment_service", 2)
    end = cancelled("customer_request", "refunded", "captured", "refunded", confirmed=True)
    await ends(stage, order_id, end)
    assert await stage.auditor.count("payment_service.inbox", "type = $1", UNDO_ANSWERED) == 1
