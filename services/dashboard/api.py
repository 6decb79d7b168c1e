"""The dashboard for programs, `quartet order` and `quartet watch` among them; and news as they come, for its pages."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse

from services.dashboard import documents
from services.dashboard.hub import LISTENERS_MAX, News
from services.dashboard.parts import Parts
from services.dashboard.picture import STATES
from services.dashboard.stage import stage as stage_of
from shared.http.problems import ProblemError
from shared.ids import plain_id

SEARCH_MAX_CHARACTERS = 100
BOUND_MAX_S = 10 * 86_400.0

Search = Annotated[str, Query(max_length=SEARCH_MAX_CHARACTERS, pattern=r"^[^\x00-\x1f]*$")]
Bound = Annotated[float | None, Query(ge=0, le=BOUND_MAX_S, allow_inf_nan=False)]
State = Annotated[str | None, Query(pattern=f"^({'|'.join(STATES)})?$")]


def api(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["dashboard"])

    @router.get("/api/stage", summary="How everything is right now")
    async def stage() -> Response:
        return _json(await stage_of(parts))

    @router.get("/api/orders", summary="Orders, the newest first")
    async def orders(state: State = None, search: Search = "", before: UUID | None = None) -> Response:
        return _json(await documents.orders(parts, state or None, search.strip(), before))

    @router.get("/api/orders/{order_id}", summary="All that happened to an order, and what must happen next")
    async def order(order_id: UUID) -> Response:
        document = await documents.order(parts, order_id)
        if document is None:
            raise ProblemError(404, "No service has told of such an order.")
        return _json(document)

    @router.get("/api/stuck", summary="Orders that wait too long, by what they wait for")
    async def stuck(bound_s: Bound = None) -> Response:
        return _json(await documents.stuck(parts, bound_s))

    @router.get("/live", summary="News as they come, as server-sent events")
    async def live() -> Response:
        if parts.hub.crowded:
            raise ProblemError(503, f"No more than {LISTENERS_MAX} may listen at once.")
        return StreamingResponse(_stream(parts), media_type="text/event-stream")

    return router


async def _stream(parts: Parts) -> AsyncIterator[bytes]:
    async for news in parts.hub.listen():
        yield b"event: news\ndata: " + orjson.dumps(_news(parts, news), default=plain_id) + b"\n\n"


def _news(parts: Parts, news: News) -> dict[str, Any]:
    return {"events": news.events, "orders": news.named, "behind": documents.behind(parts)}


def _json(document: Any) -> Response:
    return Response(orjson.dumps(document, default=plain_id), media_type="application/json")
