"""Spans of what is done outside: the provider is asked within the trace, and the answer comes from the asking."""

import asyncio
from dataclasses import replace
from uuid import UUID

import httpx
import orjson
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from services.order.events import Deadline
from services.payment.provider import Provider
from shared.envelope import encode
from shared.intents import NotAskedError, Reply, UnansweredError
from shared.ports import Claim, Message, NotConfirmedError, Publisher
from shared.retries import LAST_FAILED_AT
from shared.tracing.context import CURRENT, failed_attempt, read
from shared.tracing.performing import PerformanceSpans
from shared.tracing.publishing import ToldPublisher
from shared.vocabulary.order import OrderConfirmed
from tests.unit.shared.fakes import START, FakeClock, FakePublisher
from tests.unit.shared.intents_stage import Stage
from tests.unit.shared.loop import until
from tests.unit.shared.toy import Encore, Encored, order
from tests.unit.shared.tracing_stage import (
    TRACE,
    Recording,
    context_of,
    given,
    links_of,
    parent_of,
    told,
)
from tests.unit.shared.wire import ORDER, logged

CLAIM = Claim(UUID(int=1), Encore(order_id=order()), order(), UUID(int=2), TRACE, attempts=1, token=1)


async def test_what_is_asked_outside_carries_the_trace() -> None:
    """The provider is told which span asks; the answer's cause is that span, whose cause is the intent's."""
    recording, asked = Recording(), []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("traceparent"))
        return httpx.Response(200, json={"id": "re_1", "status": "voided"})

    provider = Provider("http://provider", lambda: httpx.MockTransport(answer))

    async def perform(claim: Claim) -> Reply:
        await provider.undo(claim.intent.order_id)
        return Reply(Encored(order_id=claim.intent.order_id))

    reply = await PerformanceSpans(recording.recorder).over(perform)(CLAIM)
    await provider.undo(ORDER)
    span = recording.span
    assert (span.name, span.kind, parent_of(span)) == ("encore", SpanKind.CLIENT, given())
    assert read(reply.traceparent) == context_of(span)
    assert asked == [reply.traceparent, None]
    assert CURRENT.get() is None


async def test_the_answer_comes_home_under_the_performance(clock: FakeClock) -> None:
    """What the reaction to it logs follows from there."""
    recording, stage = Recording(), Stage(clock)
    stage.workers._performers = {Encore.kind: PerformanceSpans(recording.recorder).over(stage.perform)}
    (claim,) = stage.intend(1, leased_s=30)
    running = asyncio.create_task(stage.shell.run())
    stage.workers.offer([replace(claim, traceparent=TRACE)], clock.monotonic_s())
    await until(lambda: stage.store.tables.log)
    running.cancel()
    assert [read(entry.logged.traceparent) for entry in stage.store.tables.log] == [context_of(recording.span)]


async def test_a_second_ask_is_linked_to_the_first() -> None:
    """Both are caused by the same intent; the first one failed, by its class and not by its words."""
    recording, errors = Recording(), [UnansweredError("who knows")]

    async def perform(claim: Claim) -> Reply:
        if errors:
            raise errors.pop()
        return Reply(Encored(order_id=claim.intent.order_id))

    performer = PerformanceSpans(recording.recorder).over(perform)
    with pytest.raises(UnansweredError):
        await performer(CLAIM)
    await performer(replace(CLAIM, attempts=2, token=2))
    first, second = recording.spans
    assert parent_of(first) == parent_of(second) == given()
    assert (links_of(first), links_of(second)) == ([], [context_of(first)])
    assert first.status.status_code is StatusCode.ERROR
    assert told(first, "error.type") == "UnansweredError"
    assert "who knows" not in first.to_json()


async def test_who_is_left_in_peace_is_no_error() -> None:
    """The breaker is open: nobody was asked, and that is what is told."""
    recording = Recording()

    async def perform(claim: Claim) -> Reply:
        raise NotAskedError("left in peace", 1.0)

    with pytest.raises(NotAskedError):
        await PerformanceSpans(recording.recorder).over(perform)(CLAIM)
    assert told(recording.span, "quartet.outcome") == "not asked"
    assert recording.span.status.status_code is StatusCode.UNSET


async def test_a_timer_asks_nobody() -> None:
    """Its span is an inner one."""
    recording = Recording()

    async def perform(claim: Claim) -> Reply:
        return Reply(Encored(order_id=claim.intent.order_id))

    await PerformanceSpans(recording.recorder).over(perform)(replace(CLAIM, intent=Deadline(order_id=order())))
    assert recording.span.kind is SpanKind.INTERNAL


async def test_each_event_of_a_message_is_published_in_its_own_trace() -> None:
    """Below the reaction that caused it; without a trace there is no span, and nothing of the message is changed."""
    recording, publisher = Recording("order"), FakePublisher()
    other = TRACE.replace("0af7", "1bf7")
    confirmed = OrderConfirmed(order_id=ORDER, email="anna@example.com")
    body = encode([logged(confirmed, n, trace=trace) for n, trace in enumerate((TRACE, other, None))])
    message = Message("order.events", "order.confirmed", body, "1")
    answers = await ToldPublisher(publisher, recording.recorder, "publish", "order").publish([message])
    first, second = recording.spans
    assert answers == [None]
    assert publisher.published == [message]
    assert (first.name, first.kind, parent_of(first)) == ("publish order.confirmed.v1", SpanKind.PRODUCER, given())
    assert parent_of(second) == read(other)
    assert "anna" not in first.to_json()


async def test_what_the_broker_has_not_confirmed_is_an_error() -> None:
    """The answer is handed on as it was, and the next try has its own span beside this one."""
    recording, publisher = Recording("order"), FakePublisher()
    publisher.refuse(True, False)
    told_publisher = ToldPublisher(publisher, recording.recorder, "publish", "order")
    body = encode([logged(OrderConfirmed(order_id=ORDER, email="anna@example.com"))])
    answers = [await told_publisher.publish([Message("order.events", "order.confirmed", body, "1")]) for _ in range(2)]
    assert isinstance(answers[0][0], NotConfirmedError)
    assert answers[1] == [None]
    assert [span.status.status_code for span in recording.spans] == [StatusCode.ERROR, StatusCode.UNSET]
    assert [parent_of(span) for span in recording.spans] == [given()] * 2


async def test_a_replay_is_linked_to_the_attempt_that_failed_and_to_who_asked() -> None:
    """By the time of the failure, which its letter has kept, and by the request that is served right now."""
    recording, publisher = Recording("notification"), FakePublisher()
    body = encode([logged(OrderConfirmed(order_id=ORDER, email="anna@example.com"))])
    headers = {LAST_FAILED_AT: START.isoformat()}
    message = Message("notification.return", "notification.order.confirmed", body, "1", headers)
    asking = given().another()
    before = CURRENT.set(asking)
    await ToldPublisher(publisher, recording.recorder, "replay", "notification").publish([message])
    CURRENT.reset(before)
    event_id = orjson.loads(body)[0]["id"]
    failed = failed_attempt(given(), event_id, "notification", START.isoformat())
    assert links_of(recording.span) == [failed, asking]
    assert parent_of(recording.span) == given()


@pytest.mark.parametrize("body", [b"no JSON", b"[1]", b"7", b'[{"traceparent": "%s"}]' % TRACE.encode()])
async def test_a_body_that_nobody_can_read_is_published_all_the_same(body: bytes) -> None:
    """What is lost is the span."""
    recording, publisher = Recording("notification"), FakePublisher()
    told_publisher: Publisher = ToldPublisher(publisher, recording.recorder, "replay", "notification")
    assert await told_publisher.publish([Message("notification.return", "lane", body, "1")]) == [None]
    assert recording.spans == []
