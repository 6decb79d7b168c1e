"""The two mails of an order against each other: each is sent once, and "confirmed" is never the last word."""

import asyncio
from uuid import UUID, uuid4

import pytest

from shared.ids import new_id
from shared.outcome import Advanced, Ignored
from shared.vocabulary.order import CancelReason, OrderCancelled, OrderConfirmed
from tests.integration.books import mails_are
from tests.integration.half import replica
from tests.integration.stage import Stage
from tests.integration.wire import item

pytestmark = pytest.mark.integration

ROW = "INSERT INTO notification_service.correspondence VALUES ($1, 1, 'c@example.org', 'recorded', 'none')"
"""Held by a test, whoever wants to insert that correspondence waits; then it never happened."""


def news() -> tuple[OrderConfirmed, OrderCancelled]:
    """An order is confirmed, and cancelled, and its customer has an address of its own."""
    order_id, email = new_id(), f"c-{uuid4()}@example.org"
    return (
        OrderConfirmed(order_id=order_id, email=email),
        OrderCancelled(order_id=order_id, reason=CancelReason.CUSTOMER_REQUEST, email=email),
    )


async def sent(stage: Stage) -> None:
    """Bring notification on the stage, with what was intended by hand its to carry out, until nothing is left."""
    await stage.auditor.let_leases_pass("notification")
    async with stage.runtime("notification"):
        await stage.auditor.done("notification")


def subjects(order_id: UUID, *mails: str) -> list[str]:
    """Give the subjects of these mails."""
    return [f"Your order {order_id} is {mail}" for mail in mails]


async def test_confirmed_then_cancelled(stage: Stage) -> None:
    """Both are sent, in this order, although the second was intended before the first was sent.

    Safeguard: the intents of one order are carried out in order.
    """
    confirmed, cancelled = news()
    async with replica(stage, "notification") as by_hand:
        await by_hand.shell.submit(item(confirmed))
        await by_hand.shell.submit(item(cancelled))
    await sent(stage)
    await mails_are(stage.outside, confirmed.email, *subjects(confirmed.order_id, "confirmed", "cancelled"))


async def test_cancelled_then_confirmed(stage: Stage) -> None:
    """The confirmation comes late, and would be wrong by now: it is not sent.

    Safeguard: "confirmed" after "cancelled" is ignored.
    """
    confirmed, cancelled = news()
    async with replica(stage, "notification") as by_hand:
        await by_hand.shell.submit(item(cancelled))
        (late,) = await by_hand.shell.submit(item(confirmed))
    assert isinstance(late, Ignored)
    await sent(stage)
    await mails_are(stage.outside, confirmed.email, *subjects(confirmed.order_id, "cancelled"))


async def test_both_at_once_at_two_replicas(stage: Stage) -> None:
    """Neither finds that anything was told; whichever writes first, "cancelled" is the last word.

    Safeguard: an order has one correspondence, which is inserted once.
    """
    confirmed, cancelled = news()
    async with replica(stage, "notification") as one, replica(stage, "notification") as other:
        async with stage.auditor.held(ROW, confirmed.order_id):
            both = [p.shell.submit(item(e)) for p, e in ((one, confirmed), (other, cancelled))]
            await stage.auditor.waiting("notification_service", 2)
        results = [result for (result,) in await asyncio.gather(*both)]
    await sent(stage)
    told = ("confirmed", "cancelled") if isinstance(results[0], Advanced) else ("cancelled",)
    await mails_are(stage.outside, confirmed.email, *subjects(confirmed.order_id, *told))


async def test_the_same_news_again_is_no_second_mail(stage: Stage) -> None:
    """Each comes again, under another id, as from a log that was published anew after the inbox forgot it.

    Safeguard: a mail of a kind is recorded once for each order.
    """
    confirmed, cancelled = news()
    async with replica(stage, "notification") as by_hand:
        for event in (confirmed, confirmed, cancelled, cancelled, confirmed):
            await by_hand.shell.submit(item(event, new_id()))
    await sent(stage)
    await mails_are(stage.outside, confirmed.email, *subjects(confirmed.order_id, "confirmed", "cancelled"))
