"""What is parked, over HTTP: list and release."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool, model_validator
from pydantic_core import PydanticCustomError

from shared.http.one_of import one_of
from shared.store.parked import FIRST, Parked, ParkedRows

PAGE_MAX_ROWS = 200
"""So many are listed, or released, at once."""


class ParkedPage(BaseModel):
    """What is parked, by id; `next` continues the list as `after`."""

    parked: list[Parked]
    next: UUID | None


class Release(BaseModel):
    """What to release: exactly one of `ids` and `all`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=one_of(ids="array", all=True))

    ids: Annotated[list[UUID], Field(min_length=1, max_length=PAGE_MAX_ROWS)] | None = None
    all: StrictBool = False
    dry_run: StrictBool = False

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if (self.ids is not None) == self.all:
            raise PydanticCustomError("selection", "Exactly one of ids and all is needed")
        return self


class Released(BaseModel):
    """What was released, or in a dry run would be, and whether there is more of it."""

    ids: list[UUID]
    more: bool


def parked_router(rows: ParkedRows) -> APIRouter:
    """Serve what one service has parked."""
    router = APIRouter(prefix="/parked")

    @router.get("", summary="List intents and events that are parked")
    async def list_parked(after: UUID = FIRST, limit: Annotated[int, Query(ge=1, le=PAGE_MAX_ROWS)] = 50) -> ParkedPage:
        found = await rows.page(after, limit)
        return ParkedPage(parked=list(found), next=found[-1].id if len(found) == limit else None)

    @router.post("/release", summary="Have what is parked tried anew at once")
    async def release(asked: Release) -> Released:
        found = await rows.named(asked.ids) if asked.ids is not None else await rows.page(FIRST, PAGE_MAX_ROWS + 1)
        ids = [one.id for one in found[:PAGE_MAX_ROWS]]
        if ids and not asked.dry_run:
            await rows.release(ids, "all" if asked.all else f"{len(ids)} by id")
        return Released(ids=ids, more=len(found) > PAGE_MAX_ROWS)

    return router
