"""The events that failed and will be tried again, noted for who looks on. Nothing that dances reads them, or waits.

What cannot be read as an event of ours is set back or aside too, and has no note.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

from loguru import logger
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.batch import Item
from shared.ports import Clock, RefusedError, WorldError
from shared.retries import Failure, tier_of, wait_ms
from shared.store.backlog import FIRST
from shared.store.connection import by_whose_fault, rows_json
from shared.store.driver import Statement, driving
from shared.throttled import Throttled
from shared.topology import Lane

NOTE_INTERVAL_S = 0.2
UNNOTED_MAX_EVENTS = 1_000
"""So many wait to be noted while the database is away; then the first is forgotten. Its message is not."""
FORGET_INTERVAL_S = 60.0
FORGET_MAX_ROWS = 500
OVERDUE_MAX_S = 86_400.0
"""What has not come back so long after its time is not on its way any more."""

# A note of an attempt before, written late, takes nothing of a later one; the clocks of two replicas may differ.
NOTE_RETRIES = Statement(
    text("""
    INSERT INTO retries (event_id, lane, attempts, error_class, failed_at, due_at)
    SELECT event_id, lane, attempts, error_class, failed_at, due_at
    FROM json_to_recordset(:rows) AS r(event_id uuid, lane text, attempts integer, error_class text,
        failed_at timestamptz, due_at timestamptz)
    ORDER BY event_id
    ON CONFLICT (event_id) DO UPDATE SET lane = excluded.lane, attempts = excluded.attempts,
        error_class = excluded.error_class, failed_at = excluded.failed_at, due_at = excluded.due_at
    WHERE (retries.attempts, retries.failed_at) < (excluded.attempts, excluded.failed_at)
""")
)

FORGET_RETRIES = Statement(
    text("""
    DELETE FROM retries WHERE event_id = ANY(ARRAY(
        SELECT event_id FROM retries AS r
        WHERE event_id > CAST(:first AS uuid)
          AND (due_at < now() - make_interval(secs => :overdue_s)
               OR (SELECT 1 FROM inbox AS i WHERE i.event_id = r.event_id) IS NOT NULL)
        LIMIT :limit FOR UPDATE SKIP LOCKED))
""")
)


class RetryNotes:
    """Notes what one process sets back; the last attempt is no such thing, because then the event is set aside."""

    def __init__(self, service: str, engine: AsyncEngine, delay_tiers_ms: Sequence[int], clock: Clock) -> None:
        self._service = service
        self._engine = engine
        self._delay_tiers_ms = delay_tiers_ms
        self._clock = clock
        self._unnoted: dict[UUID, Mapping[str, Any]] = {}
        self._noting = Throttled(self.note, NOTE_INTERVAL_S, clock, "what will be tried again is not noted yet")

    def failed(self, item: Item, failure: Failure, _: float) -> None:
        """Note it, with when it will be tried again."""
        if (tier_ms := tier_of(failure, self._delay_tiers_ms)) is None:
            return
        event_id = item.envelope.event_id
        self._unnoted.pop(event_id, None)  # what is noted last is last
        self._unnoted[event_id] = {
            "event_id": event_id,
            "lane": Lane(self._service, type(item.envelope.event)).queue,
            "attempts": failure.attempts,
            "error_class": failure.error_class,
            "failed_at": failure.failed_at,
            "due_at": failure.failed_at + timedelta(milliseconds=wait_ms(failure, tier_ms)),
        }
        if len(self._unnoted) > UNNOTED_MAX_EVENTS:
            del self._unnoted[next(iter(self._unnoted))]
        self._noting.call()

    async def run(self) -> None:
        """Write notes, and forget what was reacted to since, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._noting.run())
            group.create_task(self._forget_for_ever())

    async def flushed(self) -> None:
        """Write what is not written yet, if that can be."""
        with suppress(WorldError):
            await self.note()

    async def note(self) -> None:
        """Write what is not written yet; what the database refuses has no note. Raises `WorldError`."""
        if not (rows := dict(self._unnoted)):
            return
        try:
            with by_whose_fault():
                async with driving(self._engine) as driver:
                    await NOTE_RETRIES.run(driver, rows=rows_json(list(rows.values())))
        except RefusedError as error:
            logger.error("{} events that will be tried again have no note: {}", len(rows), error)
        for event_id, row in rows.items():
            if self._unnoted.get(event_id) is row:
                del self._unnoted[event_id]

    async def forget(self) -> int:
        """Delete notes of events that the inbox knows, and say how many. Raises `WorldError`."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                return await FORGET_RETRIES.run(driver, first=FIRST, overdue_s=OVERDUE_MAX_S, limit=FORGET_MAX_ROWS)

    async def _forget_for_ever(self) -> None:
        while True:
            await self._clock.sleep(FORGET_INTERVAL_S)
            try:
                while await self.forget() == FORGET_MAX_ROWS:
                    pass
            except WorldError as error:
                logger.warning("notes of what was tried again are not forgotten yet: {}", error)
