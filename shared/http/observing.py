"""What whoever only looks on may read, at every service and with the operator's key: it changes nothing."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.http.cursor import Cursor
from shared.http.operator import operator_only
from shared.http.problems import ProblemError
from shared.ids import plain_id
from shared.settings import Settings
from shared.store.backlog import Backlog, Backlogs
from shared.store.feed import Feed
from shared.store.place import BEGINNING, Place

PAGE_MAX_EVENTS = 500


class LoggedEvent(BaseModel):
    """An event of the log; what is personal or secret in its data is masked.

    `public` is null, and of the data only the shape is shown, where this release does not know its type any more.
    """

    event_id: UUID
    type: str
    name: str
    service: str
    order_id: UUID
    stream_id: UUID
    version: int
    causation_id: UUID
    occurred_at: datetime
    traceparent: str | None
    public: bool | None
    data: Any


class FeedPage(BaseModel):
    """Events in an order in which nothing is skipped; `next` continues as `after`, and is null for one order.

    About `behind` more can be read at once.
    """

    events: list[LoggedEvent]
    next: str | None
    behind: int


def observing_router(service: str, engine: AsyncEngine, backlogs: Backlogs, settings: Settings) -> APIRouter:
    """Serve one service's log and what it has not done yet."""
    router = APIRouter(tags=["observing"], dependencies=[Depends(operator_only(settings.operator_key))])
    _log(router, Feed(service, engine))

    @router.get("/backlog", summary="What waits, is parked, or was set aside")
    async def backlog() -> Backlog:
        return await backlogs.now()

    return router


def _log(router: APIRouter, feed: Feed) -> None:
    """What was logged."""

    @router.get("/events", summary="What was logged, from a place on, or of one order", response_model=FeedPage)
    async def events(
        after: Cursor | None = None,
        order: UUID | None = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX_EVENTS)] = 200,
    ) -> Response:
        """Ask again with `next` as `after`, as often as every 200 ms; an empty page has the same `next`."""
        if order is None:
            page = await feed.page(BEGINNING if after is None else Place.read(after), limit)
            return _json({"events": page.events, "next": str(page.next), "behind": page.behind})
        if after is not None:
            raise ProblemError(422, "The events of one order are given at once: order or after, not both.")
        return _json({"events": await feed.of_order(order, limit), "next": None, "behind": 0})


def _json(document: Any) -> Response:
    """Write what was made from rows as it is: to validate a page once more would keep the shell waiting for it."""
    return Response(orjson.dumps(document, default=plain_id), media_type="application/json")
