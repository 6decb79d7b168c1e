"""The record of what operators did: written in the transaction of the act, and never changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.connection import by_whose_fault, rows_json
from shared.store.driver import Driver, driving
from shared.store.operating import RECORD, RECORDED

OPERATOR = "operator"
"""Who acts: whoever has the operator's key."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that an operator did: what, and about what."""

    action: str
    about: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An act as it stands in the record."""

    position: int
    at: datetime
    who: str
    action: str
    about: str
    details: Mapping[str, Any]


async def record_acts(driver: Driver, acts: Sequence[Act]) -> None:
    """Record acts, in the transaction that is open on `driver`."""
    if acts:
        rows = [{"who": OPERATOR, "action": a.action, "about": a.about, "details": dict(a.details)} for a in acts]
        await RECORD.run(driver, rows=rows_json(rows))


class Actions:
    """One service's record."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def page(self, before: int, limit: int) -> Sequence[Recorded]:
        """Give the last acts before a position, the newest first."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                return [Recorded(**row) for row in await RECORDED.rows(driver, before=before, limit=limit)]
