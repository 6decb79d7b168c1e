"""Recording: only where somebody wants it, and never in the way of anybody."""

import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from pydantic import SecretStr

from services.order.__main__ import service
from services.order.settings import OrderSettings
from shared.broker.closing import within
from shared.service import recorder_to
from shared.settings import Settings
from shared.tracing.recording import OtelRecorder
from shared.tracing.spans import Span, harmless
from tests.unit.shared.tracing_stage import Recording, context_of, given, told

SPAN = Span("follow", "consumer", given().another(), given(), 1_000, 2_000, {"quartet.outcome": "advanced"})


class Stuck(SpanExporter):
    """A collector that does not answer until it is let."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.exported = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.answers.wait(60)
        self.exported += len(spans)
        return SpanExportResult.SUCCESS


def test_a_span_is_recorded_as_it_is_called() -> None:
    """Under its own name, with its own times, as its service's."""
    recording = Recording("payment")
    recording.recorder.record(SPAN)
    span = recording.span
    assert (context_of(span), span.start_time, span.end_time) == (SPAN.context, 1_000, 2_000)
    assert told(span, "quartet.outcome") == "advanced"
    assert dict(span.resource.attributes).items() >= {"service.name": "payment", "service.namespace": "quartet"}.items()


def test_nothing_is_loaded_without_an_endpoint() -> None:
    """The SDK takes longer to load than a whole service: a service that nobody traces never sees it."""
    assert recorder_to("", "order") is None
    sdk = "('opentelemetry.sdk', 'opentelemetry.exporter', 'google.protobuf')"
    program = f"import sys, services.order.__main__; print(*[name for name in sys.modules if name.startswith({sdk})])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""


def test_the_endpoint_is_the_standard_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody who runs a collector knows it."""
    others: dict[str, Any] = {"database_url": "", "broker_url": "", "http_port": 1, "operator_key": "k"}
    assert Settings(**others).otlp_endpoint == ""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    assert Settings(**others).otlp_endpoint == "http://127.0.0.1:4318"


async def test_nobody_else_tells_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI would, of paths and of errors in full, where a variable of its own says so."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    settings = OrderSettings(
        database_url=url, broker_url="amqp://127.0.0.1:1", http_port=1, operator_key=SecretStr("k")
    )
    app = service.app(settings)
    app._telemetry["tracer_provider"] = TracerProvider()
    assert not app._native_telemetry.enabled()
    assert not app._telemetry["auto_configure"]


def test_a_collector_that_is_stuck_costs_spans_and_no_time() -> None:
    """What is too much is dropped; nobody waits."""
    stuck = Stuck()
    recorder = OtelRecorder("order", BatchSpanProcessor(stuck, 10, 10, 5))
    began_s = time.monotonic()
    for _ in range(1_000):
        recorder.record(SPAN)
    took_s = time.monotonic() - began_s
    stuck.answers.set()
    recorder._processor.shutdown()
    assert stuck.exported <= 10 + 5 * 3
    assert took_s < 20


async def test_the_end_waits_for_no_collector() -> None:
    """What is left is handed over if that can be done right away; it is given up on as any goodbye is."""
    stuck = Stuck()
    recorder = OtelRecorder("order", BatchSpanProcessor(stuck, 10, 10, 5))
    recorder.record(SPAN)
    await within(0.1, recorder.close)
    assert stuck.exported == 0
    stuck.answers.set()
    recorder.record(SPAN)
    await recorder.close()
    assert stuck.exported == 2


def test_what_goes_wrong_in_the_telling_is_lost_and_does_no_harm() -> None:
    """Whoever tells goes on."""
    calls = []

    @harmless
    def tell() -> None:
        calls.append(1)
        raise RuntimeError("a bug")

    tell()
    assert calls == [1]
