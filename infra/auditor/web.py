"""The auditor's one door: `GET /audit` tells of the last audit, `POST /audit` begins one.

It is the dashboard's, which asks as no browser does. A page from elsewhere, open in a browser of this machine, can send
requests to any port of it: with a POST a browser names the page's origin, and what comes under a foreign name that
somebody pointed here (DNS rebinding) is not answered.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.auditor.desk import Desk
from infra.own_names import OwnNames
from infra.ports import HOST

NAMES = (HOST, "localhost", "auditor")
"""What the dashboard may call it: by its address natively, in containers by its name."""


def create_app(desk: Desk) -> Starlette:
    """Put it together; the audit that runs ends with it."""

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        yield
        await desk.close()

    async def tell(request: Request) -> Response:
        return _refusal(request) or JSONResponse(desk.document)

    async def begin(request: Request) -> Response:
        if refusal := _refusal(request):
            return refusal
        desk.begin()
        return JSONResponse(desk.document, HTTPStatus.ACCEPTED)

    routes = [
        Route("/audit", tell, methods=["GET"]),
        Route("/audit", begin, methods=["POST"]),
        Route("/livez", livez),
    ]
    return Starlette(routes=routes, lifespan=life, middleware=[Middleware(OwnNames, names=NAMES)])


async def livez(_: Request) -> Response:
    """Say that the program runs."""
    return JSONResponse({"status": "ok"})


def _refusal(request: Request) -> Response | None:
    if "origin" in request.headers:
        return _problem(HTTPStatus.FORBIDDEN, "No page has anything done here: ask the dashboard.")
    return None


def _problem(status: HTTPStatus, detail: str) -> Response:
    problem = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    return JSONResponse(problem, status, media_type="application/problem+json")
