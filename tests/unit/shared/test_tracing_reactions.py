"""Spans of reactions: the parent is the span of the cause, however often it was tried; former attempts are links."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from services.payment.reactions import reactions as payment
from shared.batch import Item, Raised
from shared.clock import SystemClock
from shared.outcome import Ignored
from shared.ports import ConflictError
from shared.receiving import Receiver
from shared.retries import LAST_FAILED_AT, Retries
from shared.shell import Committed
from shared.tracing.context import read
from shared.tracing.tracing import Traced, Untraced
from shared.vocabulary.order import CancelReason, OrderCancelled
from tests.unit.shared.fakes import START, FakeClock
from tests.unit.shared.receiving_stage import LANE, FakeMessage
from tests.unit.shared.receiving_stage import Stage as ReceivingStage
from tests.unit.shared.shell_stage import Stage
from tests.unit.shared.toy import Does, cue, order, toy
from tests.unit.shared.tracing_stage import (
    TRACE,
    UNRECORDED,
    Recording,
    context_of,
    given,
    links_of,
    parent_of,
    told,
)
from tests.unit.shared.wire import batch, cloud_event


class TracedStage(Stage):
    """The stage of the shell's tests, with a recorder."""

    def __init__(self) -> None:
        super().__init__()
        self.recording = Recording()
        self.traces = Traced(toy, self.recording.recorder, self.clock)
        self.shell = self.born(on_commit=self.traces.committed, follow=self.traces.follow)


def traced(does: Does = "play", trace: str | None = TRACE) -> Item:
    """Give an event that comes with a trace context."""
    item = cue(does)
    return replace(item, envelope=item.envelope._replace(traceparent=trace))


async def test_what_follows_carries_the_reactions_span() -> None:
    """Its parent is the span of its cause; public and private events and intents are caused by the reaction."""
    stage, item = TracedStage(), traced("both")
    await stage.play(item)
    span = stage.recording.span
    assert parent_of(span) == given()
    assert (span.name, span.kind) == ("follow", SpanKind.CONSUMER)
    assert [read(entry.logged.traceparent) for entry in stage.store.tables.log] == [context_of(span)] * 2
    assert told(span, "quartet.caused") == "toy.noted, toy.played"
    assert told(span, "quartet.order_id") == str(item.envelope.correlation_id)
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time <= span.end_time


async def test_a_batch_that_runs_again_names_the_same_span() -> None:
    """Nothing is drawn: the log says the same whenever it is written."""
    stage = TracedStage()
    stage.store.fail("write", ConflictError("a version was taken"))
    await stage.play(traced())
    assert [read(entry.logged.traceparent) for entry in stage.store.tables.log] == [context_of(stage.recording.span)]


async def test_why_an_event_is_ignored() -> None:
    """The span says it."""
    stage = TracedStage()
    await stage.play(traced("rest"))
    assert (told(stage.recording.span, "quartet.outcome"), told(stage.recording.span, "quartet.reason")) == (
        "ignored",
        "a rest",
    )


async def test_a_redelivery_hangs_beside_and_not_below() -> None:
    """It has a span of its own under the same parent, linked to the reaction that came through."""
    stage, item = TracedStage(), traced()
    await stage.play(item)
    await stage.play(replace(item, redelivered=True))
    first, second = stage.recording.spans
    assert parent_of(first) == parent_of(second) == given()
    assert context_of(first) != context_of(second)
    assert links_of(second) == [context_of(first)]
    assert told(second, "quartet.outcome") == "duplicate"


@pytest.mark.parametrize("trace", [None, "nonsense", UNRECORDED])
async def test_what_nobody_records_is_passed_on_as_it_is(trace: str | None) -> None:
    """No span, and nothing that pretends that there is one."""
    stage = TracedStage()
    await stage.play(traced(trace=trace))
    assert stage.recording.spans == []
    assert [entry.logged.traceparent for entry in stage.store.tables.log] == [trace]


async def test_without_a_recorder_what_came_is_passed_on() -> None:
    """The same for every event, as it came."""
    stage = Stage()
    stage.shell = stage.born(follow=Untraced().follow)
    await stage.play(traced("both"))
    assert [entry.logged.traceparent for entry in stage.store.tables.log] == [TRACE] * 2


async def test_a_command_that_raises_is_an_error() -> None:
    """Nobody sets it back, so the commit tells of it; its class is told, and nothing that it says."""
    recording, item = Recording(), replace(traced(), completes=cue().envelope.event_id)
    traces = Traced(toy, recording.recorder, SystemClock())
    traces.committed(Committed([item], [Raised(ValueError("anna@example.com"))], (), (), 0.0))
    span = recording.span
    assert (span.status.status_code, span.kind) == (StatusCode.ERROR, SpanKind.INTERNAL)
    assert told(span, "error.type") == "ValueError"
    assert "anna" not in span.to_json()


async def test_an_event_that_cannot_be_told_of_costs_its_own_span_alone() -> None:
    """One that nobody here reacts to has no reaction to be named after; its neighbour is told."""
    recording = Recording()
    stray = cue()
    event = OrderCancelled(order_id=order(), reason=CancelReason.OUT_OF_STOCK, email="anna@example.com")
    stray = replace(stray, envelope=stray.envelope._replace(event=event, traceparent=TRACE))
    traces = Traced(toy, recording.recorder, SystemClock())
    traces.committed(Committed([stray, traced()], [Ignored("so"), Ignored("so")], (), (), 0.0))
    assert recording.span.name == "follow"


class LaterClock(FakeClock):
    """A clock on which every look is a second later."""

    looks = 0

    def now(self) -> datetime:
        self.looks += 1
        return START + timedelta(seconds=self.looks)


async def test_attempts_are_linked_to_the_former_one_and_hang_side_by_side() -> None:
    """Each attempt has its own span under the event's cause; so has the one that comes through."""
    clock, recording = LaterClock(), Recording("payment")
    traces = Traced(payment, recording.recorder, clock)
    broken = Raised(ValueError("anna@example.com"))
    stage = ReceivingStage(clock, broken, broken, Ignored("so"))
    stage.receiver = Receiver(
        stage.shell,  # type: ignore[arg-type]  # a fake
        Retries(stage.publisher, clock, (1_000, 10_000)),
        stage.keeper,
        clock,
        traces.failed,
    )
    body, headers = batch(cloud_event(traceparent=TRACE)), dict[str, Any]()
    for _ in range(3):
        message = FakeMessage(body)
        message.headers = dict(headers)
        await stage.handle(message)
        body, headers = stage.publisher.published[-1].body, dict(stage.publisher.published[-1].headers)
    traces.committed(Committed(stage.shell.works[-1], [Ignored("so")], (), (), clock.monotonic_s()))

    first, second, third = recording.spans
    assert [parent_of(span) for span in recording.spans] == [given()] * 3
    assert len({context_of(span) for span in recording.spans}) == 3
    assert (links_of(first), links_of(second), links_of(third)) == ([], [context_of(first)], [context_of(second)])
    assert [told(span, "quartet.attempts") for span in (first, second)] == [1, 2]
    assert {span.name for span in recording.spans} == {payment[LANE.event].function.__name__}
    assert (first.status.status_code, told(first, "error.type")) == (StatusCode.ERROR, "ValueError")
    assert "anna" not in first.to_json()


async def test_a_header_that_is_no_time_of_ours_does_no_harm() -> None:
    """Anybody may write there: what is too long is no time, and what is not one leads nowhere."""
    clock, recording = LaterClock(), Recording("payment")
    traces = Traced(payment, recording.recorder, clock)
    for strange in ("9" * 200_000, 7, "soon"):
        stage = ReceivingStage(clock, Ignored("so"))
        message = FakeMessage(batch(cloud_event(traceparent=TRACE)))
        message.headers = {LAST_FAILED_AT: strange}
        await stage.handle(message)
        traces.committed(Committed(stage.shell.works[-1], [Ignored("so")], (), (), clock.monotonic_s()))
    assert [len(span.links) for span in recording.spans] == [0, 0, 1]
