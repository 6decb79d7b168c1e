"""The events feed of one service: its whole log, page by page, in an order in which nothing is skipped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.event import VOCABULARY
from shared.masking import masked_data
from shared.store.connection import by_whose_fault
from shared.store.driver import Driver, driving
from shared.store.observing import FEED, FEED_HEAD, LOG_OF
from shared.store.place import Place

Entry: TypeAlias = Mapping[str, Any]
"""An event of the log as it is shown: what is personal or secret in its data is masked."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the log. `next` is where to go on; about `behind` more events can be read there already."""

    events: Sequence[Entry]
    next: Place
    behind: int


class Feed:
    """Reads one service's log.

    Only what lies below the oldest running transaction is given: whoever goes on from the last page has seen all
    that lies before it, for ever. A transaction that stays open for long holds back what was committed after it began.
    """

    def __init__(self, service: str, engine: AsyncEngine) -> None:
        self._service = service
        self._engine = engine

    async def page(self, after: Place, limit: int) -> Page:
        """Give what follows a place, up to `limit` events."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                place = {"transaction_id": str(after.transaction_id), "position": after.position}
                rows = await FEED.rows(driver, **place, limit=limit)
                last = _place(rows[-1]) if rows else after
                behind = await _behind(driver, last) if len(rows) == limit else 0
        return Page([self._entry(row) for row in rows], last, behind)

    async def of_order(self, order_id: UUID, limit: int) -> Sequence[Entry]:
        """Give what was logged of one order, the oldest first; what is committed, whoever is still at work."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                return [self._entry(row) for row in await LOG_OF.rows(driver, order_id=order_id, limit=limit)]

    def _entry(self, row: asyncpg.Record) -> Entry:
        known = VOCABULARY.get(row["type"])
        return {
            "event_id": row["event_id"],
            "type": row["type"],
            "name": row["type"].rpartition(".")[0],
            "service": self._service,
            "order_id": row["correlation_id"],
            "stream_id": row["stream_id"],
            "version": row["version"],
            "causation_id": row["causation_id"],
            "occurred_at": row["occurred_at"],
            "attempts": row["attempts"],
            "traceparent": row["traceparent"],
            "public": known and known.kind.public,
            "data": masked_data(row["type"], row["payload"]),
        }


async def _behind(driver: Driver, last: Place) -> int:
    """Say about how many events follow: positions run on where a transaction was rolled back, too."""
    for row in await FEED_HEAD.rows(driver):
        head = _place(row)
        return max(1, head.position - last.position) if head > last else 0
    return 0


def _place(row: asyncpg.Record) -> Place:
    return Place(int(row["transaction_id"]), row["position"])
