"""Refilling a lane over HTTP: its owner publishes again what it has logged, a lot of its log for each request."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints

from shared.http.problems import ProblemError
from shared.reactions import Reactions
from shared.store.refill import Place, Refill

LaneName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z_]+)+$", max_length=200)]
Cursor = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,18}-[0-9]{1,18}$")]


class RefillRequest(BaseModel):
    """Which lane lost what was published since when; `after` goes on where an earlier answer ended."""

    model_config = ConfigDict(extra="forbid")

    lane: LaneName
    since: AwareDatetime
    after: Cursor | None = None


class Refilled(BaseModel):
    """How many events were put back into the outbox; `next` is None where the whole log was walked."""

    refilled: int
    next: Cursor | None


def refill_router(reactions: Reactions, refill: Refill, inbox_retention_s: float) -> APIRouter:
    """Serve refills from one service's log, no further back than every inbox remembers what it has reacted to."""
    router = APIRouter(prefix="/refill")

    @router.post("", summary="Publish again what a lane has lost")
    async def put_back(asked: RefillRequest) -> Refilled:
        _, _, event_name = asked.lane.partition(".")
        types = [event.kind.type for event in reactions.published if event.kind.name == event_name]
        if not types:
            raise ProblemError(422, f"{reactions.service} publishes no {event_name}: ask its owner.")
        if asked.since < datetime.now(UTC) - timedelta(seconds=inbox_retention_s):
            raise ProblemError(422, "An inbox has forgotten what is as old as that, and would react to it again.")
        after = None if asked.after is None else Place.read(asked.after)
        lot = await refill.lot(types, asked.since, after, asked.lane)
        return Refilled(refilled=lot.refilled, next=None if lot.next is None else str(lot.next))

    return router
