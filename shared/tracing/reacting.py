"""Spans of reactions: one for each event of a commit, one for each attempt that failed."""

from shared.batch import Answered, Duplicate, Item, KeyReused, Raised
from shared.outcome import Advanced, Ignored
from shared.ports import Clock
from shared.reactions import Reactions
from shared.retries import Failure
from shared.shell import Committed
from shared.tracing.context import SpanContext, failed_attempt, reaction_to, read
from shared.tracing.spans import Kind, Recorder, Span, harmless, since


class ReactionSpans:
    """Tells of one service's reactions."""

    def __init__(self, reactions: Reactions, recorder: Recorder, clock: Clock) -> None:
        self._reactions = reactions
        self._recorder = recorder
        self._clock = clock

    def committed(self, committed: Committed) -> None:
        """Tell of each event of a commit; they all take as long as that did."""
        times = since(committed.began_s, self._clock.monotonic_s())
        for item, result in zip(committed.items, committed.results, strict=True):
            self._committed(item, result, times)

    @harmless
    def failed(self, item: Item, failure: Failure, began_s: float) -> None:
        """Tell of an attempt that failed, which began at `began_s`."""
        parent = read(item.envelope.traceparent)
        if parent is None:
            return
        service = self._reactions.service
        context = failed_attempt(parent, str(item.envelope.event_id), service, failure.failed_at.isoformat())
        span = self._span(item, context, parent, since(began_s, self._clock.monotonic_s()), "raised")
        attributes = {**span.attributes, "quartet.attempts": failure.attempts}
        self._recorder.record(span._replace(attributes=attributes, error=failure.error_class))

    @harmless
    def _committed(self, item: Item, result: object, times: tuple[int, int]) -> None:
        parent = read(item.envelope.traceparent)
        if parent is not None and not _is_told_elsewhere(item, result):
            self._recorder.record(self._reaction(item, result, parent, times))

    def _reaction(self, item: Item, result: object, parent: SpanContext, times: tuple[int, int]) -> Span:
        outcome = result.outcome if isinstance(result, Answered) else result
        context = reaction_to(item.envelope, self._reactions.service)
        assert context is not None
        if isinstance(outcome, Duplicate):  # it has a span of its own, beside the one of the reaction that came through
            span = self._span(item, parent.another(), parent, times, "duplicate")
            return span._replace(links=(*span.links, context))
        if isinstance(outcome, Raised):
            span = self._span(item, parent.another(), parent, times, "raised")
            return span._replace(error=type(outcome.error).__name__)
        span = self._span(item, context, parent, times, "ignored" if isinstance(outcome, Ignored) else "advanced")
        if isinstance(outcome, Ignored):
            return span._replace(attributes={**span.attributes, "quartet.reason": outcome.reason})
        assert isinstance(outcome, Advanced)
        caused = ", ".join(event.kind.name for event in outcome.events)
        return span._replace(attributes={**span.attributes, "quartet.caused": caused})

    def _span(
        self, item: Item, context: SpanContext, parent: SpanContext, times: tuple[int, int], outcome: str
    ) -> Span:
        envelope, service = item.envelope, self._reactions.service
        attributes = {
            "quartet.event": envelope.type,
            "quartet.event_id": str(envelope.event_id),
            "quartet.order_id": str(envelope.correlation_id),
            "quartet.outcome": outcome,
        }
        links: tuple[SpanContext, ...] = ()
        if item.last_failed_at is not None:
            links = (failed_attempt(parent, str(envelope.event_id), service, item.last_failed_at),)
        name = self._reactions[type(envelope.event)].function.__name__
        return Span(name, _kind(item), context, parent, *times, attributes, links)


def _is_told_elsewhere(item: Item, result: object) -> bool:
    """Leave out an attempt that is set back, told of with its time then, and what came to no reaction."""
    unasked = isinstance(result, KeyReused) or (isinstance(result, Answered) and result.outcome is None)
    return unasked or (isinstance(result, Raised) and _kind(item) == "consumer")


def _kind(item: Item) -> Kind:
    return "consumer" if item.request is None and item.completes is None else "internal"
