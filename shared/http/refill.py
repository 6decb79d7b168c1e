"""Refilling a lane over HTTP: its owner publishes again what it has logged, a lot of its log for each request."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from shared.http.cursor import Cursor
from shared.http.problems import ProblemError
from shared.reactions import Reactions
from shared.store.place import Place
from shared.store.refill import Refill

LaneName = Annotated[str, StringConstraints(pattern=r"^[a-z]+(\.[a-z_]+)+$", max_length=200)]
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")


def _written(value: Any) -> Any:
    """Refuse a number, which pydantic would read as seconds or milliseconds, whichever it looks like."""
    if not isinstance(value, str) or DATE.match(value) is None:
        raise PydanticCustomError("written", "A date and a time with its zone are needed, as RFC 3339 writes them")
    return value


Time = Annotated[AwareDatetime, BeforeValidator(_written)]


class RefillRequest(BaseModel):
    """Which lane lost what was published since when; `after` goes on where an earlier answer ended."""

    model_config = ConfigDict(extra="forbid")

    lane: LaneName
    since: Time
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
        now = datetime.now(UTC)
        if asked.since > now:  # some of it has no UTC time at all
            raise ProblemError(422, "Nothing was published since then: it is still to come.")
        if asked.since < now - timedelta(seconds=inbox_retention_s):
            raise ProblemError(422, "An inbox has forgotten what is as old as that, and would react to it again.")
        after = None if asked.after is None else Place.read(asked.after)
        lot = await refill.lot(types, asked.since, after, asked.lane)
        return Refilled(refilled=lot.refilled, next=None if lot.next is None else str(lot.next))

    return router
