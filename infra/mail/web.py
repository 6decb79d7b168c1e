"""The HTTP side: what arrived, as data and as a page."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from infra.mail.letter import Kept
from infra.mail.page import render
from infra.mail.settings import Settings
from infra.mail.smtp import listening
from infra.mail.store import Store, open_store
from infra.own_names import OwnNames

PAGE_MAX_MESSAGES = 1_000
PAGE_DEFAULT_MESSAGES = 100
NUMBER_MAX = 2**63 - 1
NAMES = ("127.0.0.1", "localhost", "mail")
"""By its address natively, in containers by its name."""

SAFE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
}


def create_app(settings: Settings) -> Starlette:
    """Put the sink together; its SMTP side lives as long as the application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with (
            open_store(settings.directory, settings.keep_max) as store,
            listening(store, settings.host, settings.smtp_port) as smtp_port,
        ):
            app.state.store, app.state.smtp_port = store, smtp_port
            yield

    routes = [Route("/", index), Route("/messages", messages), Route("/livez", livez)]
    return Starlette(routes=routes, lifespan=lifespan, middleware=[Middleware(OwnNames, names=NAMES)])


async def index(request: Request) -> Response:
    """Show the newest messages to people."""
    newest = await _store(request).newest(to=None, message_id=None, before=NUMBER_MAX, limit=PAGE_DEFAULT_MESSAGES)
    return HTMLResponse(render(newest.letters), headers=SAFE_HEADERS)


async def messages(request: Request) -> Response:
    """List messages newest first, filtered by `to` and `message_id`.

    A page has `limit` messages at most, fewer when they are long; `next` is the next page's `before`, null at
    the end.
    """
    query = request.query_params
    limit = _number(query.get("limit"), PAGE_DEFAULT_MESSAGES, PAGE_MAX_MESSAGES)
    before = _number(query.get("before"), NUMBER_MAX, NUMBER_MAX)
    if limit is None or before is None:
        return _invalid(f"limit is 1 to {PAGE_MAX_MESSAGES}, before is the `next` of another page")
    page = await _store(request).newest(
        to=query.get("to"), message_id=query.get("message_id"), before=before, limit=limit
    )
    return JSONResponse(
        {
            "messages": [_shape(kept) for kept in page.letters],
            "next": page.letters[-1].number if page.more else None,
        }
    )


async def livez(_: Request) -> Response:
    """Say that the program runs."""
    return JSONResponse({"status": "ok"})


def _store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


def _number(text: str | None, default: int, maximum: int) -> int | None:
    if text is None:
        return default
    # The length first: to read digits without a bound is quadratic.
    if len(text) > len(str(maximum)) or not (text.isascii() and text.isdigit()):
        return None
    return number if 1 <= (number := int(text)) <= maximum else None


def _shape(kept: Kept) -> dict[str, Any]:
    letter = kept.letter
    return {
        "message_id": letter.message_id,
        "from": letter.sender,
        "to": letter.recipients,
        "subject": letter.subject,
        "body": letter.body,
        "received_at": kept.received_at,
        "last_received_at": kept.last_received_at,
        "arrivals": kept.arrivals,
    }


def _invalid(detail: str) -> Response:
    problem = {"type": "about:blank", "title": "Unprocessable Content", "status": 422, "detail": detail}
    return JSONResponse(problem, status_code=422, media_type="application/problem+json")
