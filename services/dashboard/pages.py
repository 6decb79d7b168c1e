"""The pages that only look."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response

from services.dashboard import documents
from services.dashboard.api import Bound, Search, State
from services.dashboard.lanes import sequence
from services.dashboard.parts import Parts
from services.dashboard.picture import STATES, id_range
from services.dashboard.rendering import render
from services.dashboard.stage import stage as stage_of
from services.dashboard.stage_drawing import drawing
from shared.http.problems import ProblemError

NEWEST_SHOWN = 14
BOUNDS_S = (5.0, 30.0, 300.0, 3_600.0)
"""What the page of stuck orders offers to choose from."""


def pages(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def stage() -> Response:
        document = await stage_of(parts)
        newest = await parts.picture.newest(NEWEST_SHOWN)
        picture = drawing(parts.dance, document)
        return render("stage.html", page="stage", **document, picture=picture, newest=newest, states=STATES)

    @router.get("/orders")
    async def orders(state: State = None, q: Search = "", before: Annotated[UUID | None, Query()] = None) -> Response:
        search = q.strip()
        if (found := await _one(search)) is not None:
            return RedirectResponse(f"/orders/{found}", 303)
        document = await documents.orders(parts, state or None, search, before)
        counts = await parts.picture.counts()
        return render("orders.html", page="orders", **document, state=state or "", q=search, before=before,
                      counts=counts, states=STATES)  # fmt: skip

    async def _one(search: str) -> UUID | None:
        """Find the order that is meant, where a whole id is given, its own or that of one of its events."""
        ids = id_range(search)
        if ids is None or ids[0] != ids[1]:
            return None
        return ids[0] if await parts.picture.order(ids[0]) else await parts.picture.whose(ids[0])

    @router.get("/orders/{order_id}")
    async def order(order_id: UUID) -> Response:
        document = await documents.order(parts, order_id)
        if document is None:
            raise ProblemError(404, f"No service has told of an order {order_id}.")
        diagram = sequence(document, parts.dance.services)
        return render("order.html", page="orders", order=document, diagram=diagram, behind=document["behind"])

    @router.get("/stuck")
    async def stuck(bound_s: Bound = None) -> Response:
        document = await documents.stuck(parts, bound_s)
        silent = [place for place in document["behind"] if place["silent_since"]]
        return render("stuck.html", page="stuck", **document, bounds_s=BOUNDS_S, silent=silent)

    @router.get("/backlog")
    async def backlog() -> Response:
        vitals = await parts.pulse.take()
        return render("backlog.html", page="backlog", vitals=vitals, services=parts.dance.services,
                      behind=documents.behind(parts))  # fmt: skip

    return router
