"""What whoever only looks on may read, at every service and with the operator's key: it changes nothing."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.http.cursor import Cursor
from shared.http.operator import operator_only
from shared.http.problems import ProblemError
from shared.ids import plain_id
from shared.settings import Settings
from shared.store.backlog import Backlog, Backlogs
from shared.store.feed import Feed
from shared.store.place import BEGINNING, Place
from shared.store.progress import Became, Pending, Progress

PAGE_MAX_EVENTS = 500
ASKED_MAX_EVENTS = 200
"""So many outcomes are told at once."""
ORDER_MAX_INTENTS = 100


class LoggedEvent(BaseModel):
    """An event of the log; what is personal or secret in its data is masked.

    `attempts` says at which the reaction succeeded that logged it, or the intent was answered that led to it.
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
    attempts: int
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


class Asked(BaseModel):
    """Events, by their ids."""

    model_config = ConfigDict(extra="forbid")

    events: Annotated[list[UUID], Field(min_length=1, max_length=ASKED_MAX_EVENTS)]


class Outcomes(BaseModel):
    """What became of events here, by their ids; one that has not been reacted to is left out."""

    outcomes: dict[UUID, Became]


class Pendings(BaseModel):
    """What an order still intends, in the order in which it is done."""

    intents: list[Pending]


def observing_router(service: str, engine: AsyncEngine, backlogs: Backlogs, settings: Settings) -> APIRouter:
    """Serve one service's log, what it has not done yet, and what became of what it has."""
    router = APIRouter(tags=["observing"], dependencies=[Depends(operator_only(settings.operator_key))])
    _log(router, Feed(service, engine))
    progress = Progress(engine)

    @router.get("/backlog", summary="What waits, is parked, or was set aside")
    async def backlog() -> Backlog:
        return await backlogs.now()

    @router.post("/outcomes", summary="What became of events here")
    async def outcomes(asked: Asked) -> Outcomes:
        return Outcomes(outcomes=dict(await progress.of_events(asked.events)))

    @router.get("/intents", summary="What an order still intends")
    async def intents(order: UUID) -> Pendings:
        return Pendings(intents=list(await progress.of_order(order, ORDER_MAX_INTENTS)))

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
