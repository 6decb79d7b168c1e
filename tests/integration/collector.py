"""A collector of traces: takes what services hand over by OTLP over HTTP, and keeps it in memory."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from infra.ports import HOST


@dataclass(frozen=True, slots=True)
class Seen:
    """A span as it arrived; ids in hexadecimal digits, `parent` is "" for the root."""

    service: str
    scope: str
    name: str
    kind: str
    trace: str
    span: str
    parent: str
    links: tuple[str, ...]
    attributes: Mapping[str, str]
    failed: bool


class Collector:
    """What has arrived."""

    def __init__(self, url: str, seen: list[Seen]) -> None:
        self.url = url
        self.seen = seen

    def trace_of(self, order_id: str) -> list[Seen]:
        """Give all spans of the one trace that an order's spans are in."""
        traces = {span.trace for span in self.seen if span.attributes.get("quartet.order_id") == order_id}
        assert len(traces) == 1, traces
        return [span for span in self.seen if span.trace in traces]


@contextmanager
def collecting() -> Iterator[Collector]:
    """Listen until the end of the block."""
    seen: list[Seen] = []

    class Handler(BaseHTTPRequestHandler):
        """Takes hand-overs."""

        def do_POST(self) -> None:
            """Keep what comes."""
            assert self.path == "/v1/traces"
            seen.extend(_seen(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Collector(f"http://{HOST}:{server.server_port}", seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _seen(body: bytes) -> Iterator[Seen]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        (service,) = (one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Seen(
                    service,
                    scope.scope.name,
                    span.name,
                    Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    tuple(link.span_id.hex() for link in span.links),
                    {one.key: one.value.string_value or str(one.value.int_value) for one in span.attributes},
                    span.status.code == Status.STATUS_CODE_ERROR,
                )
