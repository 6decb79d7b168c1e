"""What an operator does over HTTP, at every service: its own key opens it, and every act is recorded."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.desk import Desk
from shared.http.dead_letters import dead_letters_router
from shared.http.parked import parked_router
from shared.http.refill import refill_router
from shared.reactions import Reactions
from shared.settings import Settings
from shared.store.actions import Actions, Recorded
from shared.store.parked import ParkedRows
from shared.store.refill import Refill

PAGE_MAX_ACTS = 200
NEWEST = 2**63 - 1


class ActPage(BaseModel):
    """Acts, the newest first; `next` continues the list as `before`."""

    actions: list[Recorded]
    next: int | None


def operations_routers(
    reactions: Reactions, desk: Desk, engine: AsyncEngine, settings: Settings
) -> Iterator[APIRouter]:
    """Serve dead letters, what is parked, refills, and the record of all that is done there: for operators alone.

    Side by side, because FastAPI reads a router within a router twice.
    """
    yield _acts(Actions(engine))
    yield dead_letters_router(desk)
    yield parked_router(ParkedRows(engine))
    yield refill_router(reactions, Refill(engine), settings.inbox_retention_s)


def _acts(actions: Actions) -> APIRouter:
    router = APIRouter()

    @router.get("/operator-actions", summary="What operators did, the newest first")
    async def acts(
        before: Annotated[int, Query(ge=1, le=NEWEST)] = NEWEST,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX_ACTS)] = 50,
    ) -> ActPage:
        found = await actions.page(before, limit)
        return ActPage(actions=list(found), next=found[-1].position if len(found) == limit else None)

    return router
