"""A reaction that raises in the middle of a batch: only its event leaves, travels alone, and rests in the end."""

import time
from itertools import pairwise
from uuid import UUID

import orjson
import pytest

from services.notification.reactions import reactions
from shared.vocabulary.order import OrderConfirmed
from tests.integration.auditor import Auditor
from tests.integration.letters import ATTEMPTS_MAX, kept, letter_of
from tests.integration.reacting import raising
from tests.integration.servers import TIERS_MS
from tests.integration.stage import Stage
from tests.integration.wire import confirmed, envelope, message, send
from tests.waiting import eventually

pytestmark = pytest.mark.integration

LANE = "notification.order.confirmed"
JITTERED_MIN = 0.75
"""Jitter takes a quarter off a delay at the most."""


async def reacted_to(auditor: Auditor) -> set[UUID]:
    """Give the ids in notification's inbox, of events that have come from order."""
    rows = await auditor.rows(
        "SELECT event_id FROM notification_service.inbox WHERE type LIKE 'order.%' AND outcome = 'advanced'"
    )
    return {row["event_id"] for row in rows}


async def test_only_the_event_that_failed_is_set_aside(stage: Stage) -> None:
    """Its neighbours in the message stand with their effects; it is tried again as often as can be, and kept."""
    batch = [envelope(confirmed()) for _ in range(5)]
    bad, good = batch[2], [*batch[:2], *batch[3:]]
    tried_at_s: list[float] = []

    def fails(event: OrderConfirmed) -> bool:
        if event.order_id == bad.correlation_id:
            tried_at_s.append(time.monotonic())
            return True
        return False

    async with stage.runtime("notification", raising(reactions, fails)):
        await send(stage.auditor, *batch)
        letter = await letter_of(stage.auditor, LANE, bad)
        await stage.auditor.done("notification")

    assert letter["error_class"] == "BrokenError"
    assert letter["reason"] == f"BrokenError: cannot react to {bad.correlation_id}"
    assert [one["id"] for one in orjson.loads(letter["body"])] == [str(bad.event_id)]
    assert await reacted_to(stage.auditor) == {one.event_id for one in good}
    sent = await stage.auditor.rows("SELECT order_id FROM notification_service.correspondence WHERE confirmed = 'sent'")
    assert {row["order_id"] for row in sent} == {one.correlation_id for one in good}
    waited_s = [later - earlier for earlier, later in pairwise(tried_at_s)]
    assert len(waited_s) == len(TIERS_MS)
    for waited, tier_ms in zip(waited_s, TIERS_MS, strict=True):
        assert waited >= tier_ms / 1000 * JITTERED_MIN
    await stage.auditor.done("notification")


async def test_an_event_that_fails_for_a_while_has_one_effect_in_the_end(stage: Stage) -> None:
    """It comes back from the delay queues until its reaction succeeds, and nothing is set aside."""
    only = envelope(confirmed())
    tries = 0

    def fails(_: object) -> bool:
        nonlocal tries
        tries += 1
        return tries < ATTEMPTS_MAX

    async with stage.runtime("notification", raising(reactions, fails)):
        await send(stage.auditor, only)

        async def sent() -> None:
            assert await stage.auditor.count("notification_service.correspondence", "confirmed = 'sent'") == 1

        await eventually(sent)
    assert await reacted_to(stage.auditor) == {only.event_id}
    await stage.auditor.done("notification")


async def test_what_cannot_be_read_is_set_aside_at_once(stage: Stage) -> None:
    """A part of a message that is no event of ours is kept with the reason; the rest of the message stands."""
    good = envelope(confirmed())
    async with stage.runtime("notification"):
        stranger = {"specversion": "1.0", "id": "1", "type": "order.confirmed.v1", "data": {"email": "who@example.org"}}
        body = orjson.dumps([stranger, *orjson.loads(message([good]))])
        await stage.auditor.publish("order.events", "order.confirmed", body, "strange")
        (letter,) = await kept(stage.auditor, "notification")
        await stage.auditor.done("notification")
    assert (letter["event_id"], letter["error_class"]) == (None, "Unreadable")
    assert orjson.loads(letter["body"]) == [stranger]
    assert await reacted_to(stage.auditor) == {good.event_id}
