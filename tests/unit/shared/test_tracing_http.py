"""Spans of requests: what they lead to carries their span, and one without a trace begins one."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from opentelemetry.trace import SpanKind, StatusCode

from shared.http.commands import traceparent_of
from shared.tracing.context import CURRENT, read
from shared.tracing.serving import ServerSpans
from tests.unit.shared.tracing_stage import TRACE, UNRECORDED, Recording, context_of, given, parent_of, told

PATH = "/orders/7"


def client(recording: Recording) -> httpx.AsyncClient:
    """Give a client of an application that answers with the trace context that it was asked under."""
    app = FastAPI()

    @app.get("/orders/{order_id}")
    async def order(request: Request) -> dict[str, Any]:
        current = CURRENT.get()
        return {"traceparent": traceparent_of(request), "current": current and str(current)}

    @app.get("/livez")
    @app.get("/events")
    async def quiet(request: Request) -> dict[str, Any]:
        return {"traceparent": traceparent_of(request)}

    @app.get("/breaks")
    async def breaks() -> None:
        raise RuntimeError("anna@example.com")

    app.add_middleware(ServerSpans, recording.recorder)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://order")


async def test_a_request_that_brings_a_trace() -> None:
    """Its span has the caller's for a parent, and what follows has its own."""
    recording = Recording("order")
    async with client(recording) as http:
        answer = (await http.get(PATH, headers={"traceparent": TRACE})).json()
    span = recording.span
    assert (span.name, span.kind, parent_of(span)) == ("GET /orders/{order_id}", SpanKind.SERVER, given())
    assert read(answer["traceparent"]) == context_of(span)
    assert answer["current"] == answer["traceparent"]
    assert told(span, "http.response.status_code") == 200


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense"}, {"traceparent": f"00-{0:032x}-{1:016x}-01"}])
async def test_a_request_without_a_trace_begins_one(headers: dict[str, str]) -> None:
    """Another one each time."""
    recording = Recording("order")
    async with client(recording) as http:
        answers = [(await http.get(PATH, headers=headers)).json() for _ in range(2)]
    assert [parent_of(span) for span in recording.spans] == [None, None]
    assert [read(answer["traceparent"]) for answer in answers] == [context_of(span) for span in recording.spans]
    assert len({context_of(span).trace_id for span in recording.spans}) == 2


async def test_a_trace_that_its_caller_does_not_record_is_passed_on() -> None:
    """Nothing is recorded here either."""
    recording = Recording("order")
    async with client(recording) as http:
        answer = (await http.get(PATH, headers={"traceparent": UNRECORDED})).json()
    assert answer == {"traceparent": UNRECORDED, "current": None}
    assert recording.spans == []


async def test_a_trace_that_is_not_sampled_is_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """The standard variables say how many are."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0")
    recording = Recording("order")
    async with client(recording) as http:
        answer = (await http.get(PATH)).json()
        assert (answer["traceparent"], recording.spans) == (None, [])
        await http.get(PATH, headers={"traceparent": TRACE})  # but whoever began it decides for all
    assert parent_of(recording.span) == given()


@pytest.mark.parametrize("path", ["/livez", "/events"])
async def test_who_only_looks_on_is_not_told_of(path: str) -> None:
    """Probes and listeners ask all the time."""
    recording = Recording("order")
    async with client(recording) as http:
        assert (await http.get(path, headers={"traceparent": TRACE})).json() == {"traceparent": TRACE}
    assert recording.spans == []


async def test_an_application_that_breaks_is_an_error() -> None:
    """Which says nothing of what it was about; a stranger's path has no route, and is not told."""
    recording = Recording("order")
    async with client(recording) as http:
        await http.get("/breaks")
        await http.get("/customers/anna@example.com")
    broken, lost = recording.spans
    assert (broken.status.status_code, told(broken, "error.type")) == (StatusCode.ERROR, "RuntimeError")
    assert told(broken, "http.response.status_code") == 500
    assert (lost.name, told(lost, "http.response.status_code")) == ("GET", 404)
    assert lost.status.status_code is StatusCode.UNSET
    assert "anna" not in broken.to_json() + lost.to_json()
