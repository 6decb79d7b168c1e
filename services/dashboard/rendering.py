"""Documents as HTML. Whatever others wrote is escaped, and no page holds a script or a style of its own."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.dashboard.words import FILTERS

TEMPLATES = Path(__file__).with_name("templates")
PAGES = (
    ("stage", "/", "Stage"),
    ("orders", "/orders", "Orders"),
    ("stuck", "/stuck", "Stuck"),
    ("letters", "/dead-letters", "Dead letters"),
    ("backlog", "/backlog", "Outboxes"),
    ("consistency", "/consistency", "Consistency"),
    ("try", "/try", "Try it"),
)
"""What leads from page to page: its name, where it is, what it is called."""

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= FILTERS
_ENVIRONMENT.globals["pages"] = PAGES

Handler = Callable[[Request, Exception], Awaitable[Response]]


def render(template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """Fill a template."""
    return HTMLResponse(_ENVIRONMENT.get_template(template).render(**context), status)


def add_error_pages(app: FastAPI) -> None:
    """Show every problem to a browser as a page; programs get the document."""
    for kind, handler in list(app.exception_handlers.items()):
        app.exception_handlers[kind] = _as_a_page(handler)  # type: ignore[arg-type]  # ours are all asynchronous


def _as_a_page(handler: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = await handler(request, error)
        if "text/html" not in request.headers.get("accept", ""):
            return answer
        return render("problem.html", answer.status_code, problem=orjson.loads(answer.body), page="", behind=[])

    return handle
