"""How far things have come at one service: what became of events here, and what an order still intends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.connection import by_whose_fault
from shared.store.driver import driving
from shared.store.observing import INTENTS_OF, RETRIES_OF
from shared.store.operating import OUTCOMES

BACK_WITHIN_S = 30.0
"""So long after its time an event that is tried again has come back, as a rule; its lane may be long."""


@dataclass(frozen=True, slots=True)
class Became:
    """What became of an event here: `why` it was ignored, or set aside or dropped, and when it came.

    One that is `retried` has failed so far: `why` says how, and when it is due again.
    """

    outcome: Literal["advanced", "ignored", "dead", "dropped", "retried"]
    why: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Pending:
    """An intent that is not done yet. `raised` counts the answers that could not be reacted to."""

    key: UUID
    kind: str
    due_at: datetime
    leased_until: datetime | None
    attempts: int
    raised: int
    last_error: str | None
    parked_at: datetime | None
    causation_id: UUID


class Progress:
    """Looks at one service's inbox and intents."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def of_events(self, event_ids: Sequence[UUID]) -> Mapping[UUID, Became]:
        """Say what became of events; of what has not been reacted to here there is nothing. Raises `WorldError`."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                known = await OUTCOMES.rows(driver, event_ids=event_ids)
                open_ids = set(event_ids) - {row["event_id"] for row in known}
                given = {"event_ids": list(open_ids), "back_within_s": BACK_WITHIN_S}
                failed = await RETRIES_OF.rows(driver, **given) if open_ids else ()
        became = {row["event_id"]: Became(row["outcome"], row["reason"], row["received_at"]) for row in known}
        return became | {row["event_id"]: Became("retried", _why(row), row["failed_at"]) for row in failed}

    async def of_order(self, order_id: UUID, limit: int) -> Sequence[Pending]:
        """Give what an order intends, in the order in which it is done. Raises `WorldError`."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                return [Pending(**row) for row in await INTENTS_OF.rows(driver, order_id=order_id, limit=limit)]


def _why(row: asyncpg.Record) -> str:
    """Say how an event failed, by its class alone: what an error says of itself may be personal."""
    due = (
        f"was due at {row['due_at']:%H:%M:%S} UTC, and has not come back"
        if row["overdue"]
        else (f"due again at {row['due_at']:%H:%M:%S} UTC")
    )
    return f"{row['error_class']} at attempt {row['attempts']}, {due}"
