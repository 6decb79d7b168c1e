"""One trace of a whole saga, through four services, retries, a dead letter and its replay."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.notification.reactions import reactions
from shared.vocabulary.order import OrderConfirmed
from tests.integration.collector import Collector, Seen, collecting
from tests.integration.letters import ATTEMPTS_MAX, kept
from tests.integration.operating import operated
from tests.integration.reacting import raising
from tests.integration.shop import APPROVED, LocalShop
from tests.integration.stage import Stage
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.once]


@pytest_asyncio.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    """Where the services of the test hand their traces over, and nothing else does."""
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


async def complete(collector: Collector, order_id: str, *names: str) -> list[Seen]:
    """Wait until spans of these names have arrived, and no parent is missing; give the trace."""

    async def look() -> list[Seen]:
        trace = collector.trace_of(order_id)
        assert set(names) <= {span.name for span in trace}
        assert {span.parent for span in trace} - {span.span for span in trace} == {""}
        return trace

    return await eventually(look)


def family(trace: list[Seen]) -> set[tuple[str, str]]:
    """Tell of each span, and of its parent, as `service: name`."""
    called = {span.span: f"{span.service}: {span.name}" for span in trace} | {"": ""}
    return {(called[span.parent], called[span.span]) for span in trace}


SAGA = {
    ("", "order: POST /orders"),
    ("order: POST /orders", "order: place"),
    ("order: place", "order: publish order.placed.v1"),
    ("order: place", "inventory: reserve"),
    ("order: place", "payment: learn_amount"),
    ("inventory: reserve", "inventory: publish stock.reserved.v1"),
    ("inventory: reserve", "payment: learn_stock"),
    ("payment: charge", "payment: settle_charge"),
    ("payment: settle_charge", "payment: publish payment.captured.v1"),
    ("payment: settle_charge", "order: confirm"),
    ("order: confirm", "order: publish order.confirmed.v1"),
    ("order: confirm", "inventory: commit"),
    ("order: confirm", "notification: tell_confirmed"),
    ("inventory: commit", "inventory: publish stock.committed.v1"),
    ("inventory: commit", "order: close_sold"),
    ("notification: tell_confirmed", "notification: send_confirmed"),
    ("notification: send_confirmed", "notification: note_sent"),
}
CHARGED = {("payment: learn_amount", "payment: charge"), ("payment: learn_stock", "payment: charge")}
"""Whichever was the later one."""


async def test_a_saga_is_one_trace(stage: Stage, collector: Collector) -> None:
    """From the request to the mail, every span is below the span of its cause, and what is published leads nowhere."""
    actors = await stage.start_all()
    await stage.offer(violin=1)
    async with LocalShop(stage, actors) as shop:
        order_id = (await shop.bought({"violin": 1}))["order_id"]

    async def whole() -> list[Seen]:
        """Each service hands its spans over when it likes, also those of what it published long ago."""
        trace = await complete(collector, order_id, "note_sent", "close_sold")
        assert len(trace) >= len(SAGA) + 1
        return trace

    trace = await eventually(whole)
    charged = family(trace) & CHARGED
    assert len(charged) == 1
    assert family(trace) == SAGA | charged
    assert len(trace) == len(SAGA) + 1
    assert not any(span.links or span.failed for span in trace)
    assert {span.scope for span in collector.seen} == {"quartet"}  # and nobody else tells anything
    assert not any(APPROVED in str(span) or "@example.org" in str(span) for span in collector.seen)


async def test_a_provider_that_fails_is_asked_side_by_side(stage: Stage, collector: Collector) -> None:
    """Each ask of a charge is below the intent's cause and linked to the one before; its answer is below the last."""
    actors = await stage.start_all(charge_attempts_max=100)
    await stage.offer(violin=1)
    async with LocalShop(stage, actors) as shop:
        async with stage.outside.faults(error_rate=1.0):
            order_id = (await shop.place({"violin": 1}, APPROVED, customer_id="c-1"))["order_id"]

            async def asked_twice() -> None:
                assert len([span for span in collector.seen if span.name == "charge"]) >= 2

            await eventually(asked_twice)
        assert (await shop.settled(order_id))["status"] == "confirmed"
    trace = await complete(collector, order_id, "note_sent", "close_sold")
    charges = [span for span in trace if span.name == "charge"]
    assert len({span.parent for span in charges}) == 1
    assert_linked(charges)
    assert [span.failed for span in charges] == [True] * (len(charges) - 1) + [False]
    (settled,) = [span for span in trace if span.name == "settle_charge"]
    assert settled.parent == charges[-1].span


async def test_retries_and_a_replay_stay_in_the_trace(stage: Stage, collector: Collector) -> None:
    """Attempt after attempt hangs below the same cause, linked to the one before, across the dead letter too."""
    actors = await stage.start_some("order", "inventory", "payment")
    await stage.offer(violin=1)
    broken = raising(reactions, lambda event: isinstance(event, OrderConfirmed))
    async with stage.runtime("notification", broken), LocalShop(stage, actors) as shop:
        order_id = (await shop.place({"violin": 1}, APPROVED, customer_id="c-1"))["order_id"]
        await kept(stage.auditor, "notification")
    mended = await stage.start("notification")
    await operated(mended, "/dead-letters/replay", all=True)

    trace = await complete(collector, order_id, "note_sent", "close_sold", f"replay {OrderConfirmed.kind.type}")
    attempts = [span for span in trace if span.name == "tell_confirmed"]
    (confirm,) = [span for span in trace if span.name == "confirm"]
    assert [span.parent for span in attempts] == [confirm.span] * (ATTEMPTS_MAX + 1)
    assert_linked(attempts)
    assert [span.failed for span in attempts] == [True] * ATTEMPTS_MAX + [False]
    assert [span.attributes.get("quartet.attempts") for span in attempts] == [
        *map(str, range(1, ATTEMPTS_MAX + 1)),
        None,
    ]
    (sent,) = [span for span in trace if span.name == "send_confirmed"]
    assert sent.parent == attempts[-1].span
    (replay,) = [span for span in trace if span.name.startswith("replay")]
    (asked,) = [span for span in collector.seen if span.name == "POST /dead-letters/replay"]
    assert (replay.parent, replay.links) == (confirm.span, (attempts[-2].span, asked.span))
    assert asked.trace != confirm.trace
    assert family(trace) - SAGA - CHARGED == {("order: confirm", f"notification: {replay.name}")}


def assert_linked(attempts: list[Seen]) -> None:
    """Hold each attempt against the one before it: all are others, and each is linked to that one alone."""
    assert len({span.span for span in attempts}) == len(attempts)
    assert [span.links for span in attempts] == [(), *((former.span,) for former in attempts[:-1])]
