"""Recording in memory, with the SDK's own exporter."""

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.tracing.context import SpanContext, read
from shared.tracing.recording import OtelRecorder

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNRECORDED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"


def given() -> SpanContext:
    """Give the context that events come with here."""
    context = read(TRACE)
    assert context is not None
    return context


class Recording:
    """A recorder, and what it has recorded."""

    def __init__(self, service: str = "toy") -> None:
        self._exporter = InMemorySpanExporter()
        self.recorder = OtelRecorder(service, SimpleSpanProcessor(self._exporter))

    @property
    def spans(self) -> list[ReadableSpan]:
        """All, in the order in which they were told."""
        return list(self._exporter.get_finished_spans())

    @property
    def span(self) -> ReadableSpan:
        """The only one."""
        (span,) = self.spans
        return span


def context_of(span: ReadableSpan) -> SpanContext:
    """Give what a span is called."""
    assert span.context is not None
    return SpanContext(span.context.trace_id, span.context.span_id)


def parent_of(span: ReadableSpan) -> SpanContext | None:
    """Give the span of its cause."""
    return None if span.parent is None else SpanContext(span.parent.trace_id, span.parent.span_id)


def links_of(span: ReadableSpan) -> list[SpanContext]:
    """Give the spans that it is linked to."""
    return [SpanContext(link.context.trace_id, link.context.span_id) for link in span.links]


def told(span: ReadableSpan, name: str) -> object:
    """Give one of its attributes."""
    return (span.attributes or {}).get(name)
