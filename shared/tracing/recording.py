"""Recording spans with OpenTelemetry, and handing them over by OTLP over HTTP.

The one module that loads the SDK, which takes longer than everything else at start-up: it is imported only where an
endpoint is set. What is exported, how it is sampled, and what more is said of the process, the standard `OTEL_…`
variables say.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_NAMESPACE, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import SpanContext as OtelContext

from shared.tracing.context import SpanContext
from shared.tracing.spans import Span

QUEUE_MAX_SPANS = 10_000
"""So many wait for the next hand-over; of more the oldest are dropped."""
EXPORT_MAX_SPANS = 512
EXPORT_INTERVAL_MS = 1_000
EXPORT_TIMEOUT_S = 5.0
"""So long one hand-over may take, its retries included; then its spans are dropped."""
KINDS = {
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
    "internal": SpanKind.INTERNAL,
}


class OtelRecorder:
    """Records the spans of one service, and gives each to a processor: on the event loop's thread, without waiting."""

    def __init__(self, service: str, processor: SpanProcessor) -> None:
        resource = Resource.create({SERVICE_NAME: service, SERVICE_NAMESPACE: "quartet"})
        self._processor = processor
        self._names = _Names()
        self._provider = TracerProvider(resource=resource, id_generator=self._names, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("quartet")

    def samples(self, trace_id: int) -> bool:
        """Ask the sampler."""
        return self._provider.sampler.should_sample(Context(), trace_id, "").decision is Decision.RECORD_AND_SAMPLE

    def record(self, span: Span) -> None:
        """Make it one of the SDK's, under its own name."""
        self._names.next = span.context
        made = self._tracer.start_span(
            span.name,
            Context() if span.parent is None else set_span_in_context(NonRecordingSpan(_of(span.parent)), Context()),
            KINDS[span.kind],
            span.attributes,
            _links(span.links),
            start_time=span.began_ns,
        )
        if span.error is not None:
            made.set_attribute("error.type", span.error)
            made.set_status(Status(StatusCode.ERROR, span.error))
        made.end(span.ended_ns)

    async def close(self) -> None:
        """Hand over what is left; whoever waits for it gives up when it likes, and the process may end."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def flush() -> None:
            self._processor.force_flush()
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=flush, daemon=True).start()  # an executor's thread would be waited for at the end
        await done.wait()


def otlp_recorder(service: str, endpoint: str) -> OtelRecorder:
    """Give a recorder that hands over to a collector: `http://127.0.0.1:4318`."""
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_TIMEOUT_S)
    processor = BatchSpanProcessor(exporter, QUEUE_MAX_SPANS, EXPORT_INTERVAL_MS, EXPORT_MAX_SPANS)
    return OtelRecorder(service, processor)


class _Names(IdGenerator):
    """Names the span that is made next as it is called already."""

    next = SpanContext(0, 0)

    def generate_span_id(self) -> int:
        return self.next.span_id

    def generate_trace_id(self) -> int:
        return self.next.trace_id


def _of(context: SpanContext) -> OtelContext:
    return OtelContext(context.trace_id, context.span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def _links(contexts: Sequence[SpanContext]) -> list[Link]:
    return [Link(_of(context)) for context in contexts]
