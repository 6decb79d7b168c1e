"""What is parked: intents whose answers cannot be reacted to, and outbox rows that cannot be encoded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.actions import Act, record_acts
from shared.store.connection import by_whose_fault
from shared.store.driver import driving, transacting
from shared.store.operating import PARKED, PARKED_NAMED, RELEASE_INTENTS, RELEASE_UNSENT

FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Parked:
    """One of them. `kind` is the type of the event, None where the log does not know it, or the intent's kind."""

    id: UUID
    what: Literal["event", "intent"]
    kind: str | None
    order_id: UUID | None
    attempts: int
    last_error: str | None
    parked_at: datetime


class ParkedRows:
    """One service's parked rows."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, after: UUID, limit: int) -> Sequence[Parked]:
        """Give them in the order of their ids, which is about that in which they came to be."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                return [Parked(**row) for row in await PARKED.rows(driver, after=after, limit=limit)]

    async def named(self, ids: Sequence[UUID]) -> Sequence[Parked]:
        """Give those of some ids that are parked."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                return [Parked(**row) for row in await PARKED_NAMED.rows(driver, ids=ids, limit=len(ids))]

    async def release(self, ids: Sequence[UUID], about: str) -> int:
        """Have them tried anew at once, with all their attempts before them, and say how many were still parked."""
        ids = sorted(ids)
        with by_whose_fault():
            async with transacting(self._engine) as driver:
                released = await RELEASE_UNSENT.run(driver, ids=ids)
                released += await RELEASE_INTENTS.run(driver, ids=ids)
                await record_acts(driver, [Act("release", about, {"ids": ids, "released": released})])
        return released
