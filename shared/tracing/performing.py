"""Spans of intents: each time that an outside party is asked."""

import time
from dataclasses import replace

from shared.intents import NotAskedError, Performer, Reply
from shared.ports import Claim
from shared.tracing.context import CURRENT, SpanContext, read
from shared.tracing.spans import Recorder, Span, harmless


class PerformanceSpans:
    """Tells of how one service's intents are carried out."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def over(self, performer: Performer) -> Performer:
        """Give a performer whose answer, and whatever it asks outside, carry the trace context of this performance."""

        async def perform(claim: Claim) -> Reply:
            parent = read(claim.traceparent)
            if parent is None:
                return await performer(claim)
            context, began_ns = _performance(parent, claim, claim.token), time.time_ns()
            before = CURRENT.set(context)
            try:
                reply = await performer(claim)
            except BaseException as error:
                self._tell(claim, parent, context, began_ns, error)
                raise
            finally:
                CURRENT.reset(before)
            self._tell(claim, parent, context, began_ns, None)
            return replace(reply, traceparent=str(context))

        return perform

    @harmless
    def _tell(
        self, claim: Claim, parent: SpanContext, context: SpanContext, began_ns: int, error: BaseException | None
    ) -> None:
        away = isinstance(error, NotAskedError)
        self._recorder.record(
            Span(
                claim.intent.kind,
                "internal" if claim.intent.timer else "client",
                context,
                parent,
                began_ns,
                time.time_ns(),
                {
                    "quartet.intent": claim.intent.kind,
                    "quartet.intent_id": str(claim.intent_id),
                    "quartet.order_id": str(claim.correlation_id),
                    "quartet.attempts": claim.attempts,
                    "quartet.outcome": "answered" if error is None else "not asked" if away else "not answered",
                },
                links=(_performance(parent, claim, claim.token - 1),) if claim.attempts > 1 else (),
                error=None if error is None or away else type(error).__name__,
            )
        )


def _performance(parent: SpanContext, claim: Claim, token: int) -> SpanContext:
    """Name the performance under a token; every claim has another."""
    return parent.named("performance", str(claim.intent_id), str(token))
