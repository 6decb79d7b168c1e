"""Spans of HTTP requests; what a request leads to carries its span's trace context."""

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.tracing.context import (
    CURRENT,
    SPAN_ID_BYTES,
    TRACE_ID_BYTES,
    SpanContext,
    drawn,
    is_declined,
    read,
)
from shared.tracing.spans import Recorder, Span, harmless

QUIET = frozenset({"/livez", "/readyz", "/metrics", "/events", "/backlog", "/outcomes", "/intents"})
"""Asked all the time, by machines that look on: their traces would crowd out those of orders."""
HEADER = b"traceparent"


class ServerSpans:
    """ASGI middleware that tells of each request. One that brings no trace context begins a trace."""

    def __init__(self, app: ASGIApp, recorder: Recorder) -> None:
        self._app = app
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve it with its own trace context in the place of what it brought."""
        if scope["type"] != "http" or scope["path"] in QUIET:
            await self._app(scope, receive, send)
            return
        brought = dict(scope["headers"]).get(HEADER, b"").decode("latin-1")
        parent = read(brought)
        context = parent.another() if parent else SpanContext(drawn(TRACE_ID_BYTES), drawn(SPAN_ID_BYTES))
        if parent is None and (is_declined(brought) or not self._recorder.samples(context.trace_id)):
            await self._app(scope, receive, send)
            return
        await self._serve(context, parent, _carrying(context, scope), receive, send)

    async def _serve(
        self, context: SpanContext, parent: SpanContext | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        status, began_ns = (
            500,
            time.time_ns(),
        )  # as is answered further out where the application raises
        error: str | None = None

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        before = CURRENT.set(context)
        try:
            await self._app(scope, receive, note)
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            CURRENT.reset(before)
            self._tell(context, parent, scope, status, error, began_ns)

    @harmless
    def _tell(
        self,
        context: SpanContext,
        parent: SpanContext | None,
        scope: Scope,
        status: int,
        error: str | None,
        began_ns: int,
    ) -> None:
        route = getattr(scope.get("route"), "path", "")
        attributes = {"http.request.method": scope["method"], "http.route": route, "http.response.status_code": status}
        error = error or (str(status) if status >= 500 else None)
        name = f"{scope['method']} {route}".rstrip()
        self._recorder.record(Span(name, "server", context, parent, began_ns, time.time_ns(), attributes, error=error))


def _carrying(context: SpanContext, scope: Scope) -> dict[str, Any]:
    headers = [(name, value) for name, value in scope["headers"] if name != HEADER]
    return {**scope, "headers": [*headers, (HEADER, str(context).encode())]}
