"""Leases and fencing of intents, against the real table: who may carry out what, and whose word counts."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from services.payment.events import ChargeAnswered, ChargeResult
from shared.batch import Item
from shared.envelope import Envelope
from shared.ids import new_id
from shared.outcome import Advanced
from shared.ports import Claim
from shared.vocabulary.inventory import StockReserved
from shared.vocabulary.order import CancelReason, OrderCancelled
from tests.integration.half import Half, half
from tests.integration.stage import Stage
from tests.integration.wire import confirmed, item, placed

pytestmark = pytest.mark.integration

LEASE_S = 30.0
ORDERS = 60
HOUR_S = 3600.0
CLAIM_MAX = 10
INTENTS = "payment_service.intents"


async def charges(process: Half, orders: int = 1) -> list[UUID]:
    """Have payment intend so many charges; they are leased to the process that wrote them."""
    events = [placed(rosin=1) for _ in range(orders)]
    await process.shell.submit(*map(item, events))
    await process.shell.submit(*(item(StockReserved(order_id=event.order_id, lines=())) for event in events))
    return [event.order_id for event in events]


async def claim(process: Half, limit: int = CLAIM_MAX) -> Sequence[Claim]:
    """Claim what is due."""
    return await process.store.claim_intents(limit, LEASE_S)


async def test_a_lease_that_ends_is_anothers_to_take(stage: Stage) -> None:
    """While it lasts nobody else gets the intent; once it is over the next to ask does, with a new token."""
    async with half(stage, "payment") as writer, half(stage, "payment") as other:
        await charges(writer)
        assert await claim(other) == []
        await stage.auditor.let_leases_pass("payment")
        (taken,) = await claim(other)
        assert (taken.attempts, taken.token) == (2, 2)
        assert await claim(writer) == []


async def test_a_stale_token_can_neither_reschedule_nor_park(stage: Stage) -> None:
    """Who lost the lease cannot touch the row any more; who has it can."""
    async with half(stage, "payment") as slow, half(stage, "payment") as quick:
        await charges(slow)
        await stage.auditor.let_leases_pass("payment")
        (lost,) = await claim(slow)
        await stage.auditor.let_leases_pass("payment")
        (held,) = await claim(quick)
        before = await stage.auditor.rows(f"SELECT * FROM {INTENTS}")  # noqa: S608 - ours
        await slow.store.reschedule(lost, 0.0, "too late")
        await slow.store.park(lost, "too late")
        assert await stage.auditor.rows(f"SELECT * FROM {INTENTS}") == before  # noqa: S608 - ours
        await quick.store.reschedule(held, 0.0, "again")
        (again,) = await claim(quick)
        assert (again.attempts, again.token) == (held.attempts + 1, held.token + 1)
        await quick.store.park(again, "enough")
        await stage.auditor.let_leases_pass("payment")
        assert await claim(quick) == []
        assert await stage.auditor.count(INTENTS, "parked_at IS NOT NULL AND last_error = 'enough'") == 1


async def test_an_answer_counts_whoever_brings_it(stage: Stage) -> None:
    """Fencing protects the row and throws no answer away: the charge was made, even if by one who lost the lease."""
    async with half(stage, "payment") as slow, half(stage, "payment") as quick:
        (order_id,) = await charges(slow)
        await stage.auditor.let_leases_pass("payment")
        (taken,) = await claim(quick)
        answer = ChargeAnswered(order_id=order_id, result=ChargeResult.CAPTURED, charge_id="ch_1")
        (result,) = await slow.shell.submit(Item(Envelope(new_id(), answer, order_id), completes=taken.intent_id))
        assert isinstance(result, Advanced)
        assert await stage.auditor.count(INTENTS) == 0
        assert await stage.auditor.count("payment_service.payments", "status = 'captured'") == 1
        await quick.store.reschedule(taken, 0.0, "no answer")  # and there is nothing left to do again
        assert await stage.auditor.count(INTENTS) == 0


async def test_two_workers_at_once_claim_each_intent_once(stage: Stage) -> None:
    """They share what is due, and together they get all of it."""
    async with half(stage, "payment") as one, half(stage, "payment") as other:
        await charges(one, ORDERS)
        await stage.auditor.let_leases_pass("payment")

        async def claim_all(process: Half) -> list[UUID]:
            claimed: list[UUID] = []
            while claims := await claim(process):
                claimed += [taken.intent_id for taken in claims]
            return claimed

        ours, theirs = await asyncio.gather(claim_all(one), claim_all(other))
        assert len(ours) + len(theirs) == ORDERS == len({*ours, *theirs})


async def test_intents_of_one_order_are_done_in_order(stage: Stage) -> None:
    """Only the first of a stream is given out; the next when it is done, whoever asks and however long it takes."""
    async with half(stage, "notification") as process:
        order = confirmed()
        cancelled = OrderCancelled(order_id=order.order_id, reason=CancelReason.CUSTOMER_REQUEST, email=order.email)
        await process.shell.submit(item(order), item(cancelled))
        assert await stage.auditor.count("notification_service.intents") == 2
        await stage.auditor.let_leases_pass("notification")
        (first,) = await claim(process)
        assert first.intent.kind == "send_confirmed"
        assert await claim(process) == []
        await process.store.reschedule(first, 3600.0, "the mail server is away")
        assert await claim(process) == []


async def test_an_intent_is_as_old_as_what_it_follows_from(stage: Stage) -> None:
    """By the database's clock, however often it was tried; and to ask nobody counts as no attempt."""
    async with half(stage, "payment") as process:
        await charges(process)
        await stage.auditor.rows("UPDATE payment_service.events SET occurred_at = occurred_at - interval '1 hour'")
        await stage.auditor.let_leases_pass("payment")
        (first,) = await claim(process)
        assert first.age_s == pytest.approx(HOUR_S, abs=HOUR_S / 2)
        await process.store.reschedule(first, 0.0, "not asked", asked=False)
        (again,) = await claim(process)
        assert (again.attempts, again.token) == (first.attempts, first.token + 1)
