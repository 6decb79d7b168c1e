"""The table of dead letters."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.letters import InboxSays, Kept, Letter, Selection, read_anew
from shared.store import operating as sql
from shared.store.actions import Act, record_acts
from shared.store.connection import by_whose_fault
from shared.store.driver import Statement, driving, transacting

# While its letter lies here, copies of the event are dropped; what was reacted to after all stays as it is.
BURY = Statement(
    text("""
    INSERT INTO inbox (event_id, type, outcome, reason)
    SELECT DISTINCT ON (event_id) event_id, type, 'dead', reason
    FROM unnest(CAST(:event_ids AS uuid[]), CAST(:types AS text[]), CAST(:reasons AS text[]))
        AS r(event_id, type, reason)
    WHERE event_id IS NOT NULL
    ORDER BY event_id
    ON CONFLICT DO NOTHING
""")
)

KEEP = Statement(
    text("""
    INSERT INTO dead_letters AS kept (letter_id, lane, event_id, type, correlation_id, body, error_class, reason,
                                      attempts, first_failed_at, last_failed_at)
    SELECT DISTINCT ON (letter_id) *
    FROM unnest(CAST(:letter_ids AS uuid[]), CAST(:lanes AS text[]), CAST(:event_ids AS uuid[]),
                CAST(:types AS text[]), CAST(:correlation_ids AS uuid[]), CAST(:bodies AS bytea[]),
                CAST(:error_classes AS text[]), CAST(:reasons AS text[]), CAST(:attempts AS integer[]),
                CAST(:first_failed_ats AS timestamptz[]), CAST(:last_failed_ats AS timestamptz[]))
        AS r(letter_id, lane, event_id, type, correlation_id, body, error_class, reason, attempts,
             first_failed_at, last_failed_at)
    ORDER BY letter_id
    ON CONFLICT (letter_id) DO UPDATE
    SET attempts = greatest(kept.attempts, excluded.attempts), reason = excluded.reason,
        error_class = excluded.error_class, last_failed_at = greatest(kept.last_failed_at, excluded.last_failed_at),
        drained_at = excluded.drained_at, position = DEFAULT
""")
)

PAGE_MAX_BYTES = 4 * 1024 * 1024
"""Of the bodies that are read at once, unless the first of them alone is bigger."""

CLEAR = Statement(text("DELETE FROM suspects WHERE event_id = ANY(CAST(:event_ids AS uuid[]))"))


class DeadLetters:
    """One service's dead letters."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, letters: Sequence[Letter]) -> None:
        """Keep letters, note in the inbox that their events are dead, and suspect them no longer."""
        event_ids = [letter.event_id for letter in letters]
        types, reasons = [letter.type for letter in letters], [letter.reason for letter in letters]
        whys = [f"{letter.reason}, at attempt {letter.attempts}" for letter in letters]
        with by_whose_fault():
            async with transacting(self._engine) as driver:
                await BURY.run(driver, event_ids=event_ids, types=types, reasons=whys)
                await CLEAR.run(driver, event_ids=event_ids)
                await KEEP.run(
                    driver,
                    letter_ids=[letter.letter_id for letter in letters],
                    lanes=[letter.lane for letter in letters],
                    event_ids=event_ids,
                    types=types,
                    correlation_ids=[letter.correlation_id for letter in letters],
                    bodies=[letter.body for letter in letters],
                    error_classes=[letter.error_class for letter in letters],
                    reasons=reasons,
                    attempts=[letter.attempts for letter in letters],
                    first_failed_ats=[letter.first_failed_at for letter in letters],
                    last_failed_ats=[letter.last_failed_at for letter in letters],
                )

    async def page(self, selection: Selection, after: int, limit: int) -> Sequence[Kept]:
        """Give the first letters of a selection behind a position; fewer than `limit` where they are big."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                rows = await sql.LETTERS.rows(
                    driver, after=after, limit=limit, bytes_max=PAGE_MAX_BYTES, **_parameters(selection)
                )
        return [_kept(row) for row in rows]

    async def left(self, selection: Selection, after: int) -> int:
        """Count the letters of a selection behind a position."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                ((number,),) = await sql.LETTERS_LEFT.rows(driver, after=after, **_parameters(selection))
        return int(number)

    async def outcomes(self, event_ids: Sequence[UUID]) -> Mapping[UUID | None, InboxSays]:
        """Say what the inbox holds for events; of what it does not know there is nothing."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                rows = await sql.OUTCOMES.rows(driver, event_ids=event_ids)
        return {row["event_id"]: row["outcome"] for row in rows}

    async def unbury(self, event_ids: Sequence[UUID], act: Act) -> None:
        """Have the inbox take dead events again, and record why; what is not dead stays as it is."""
        with by_whose_fault():
            async with transacting(self._engine) as driver:
                await sql.UNBURY.run(driver, event_ids=event_ids)
                await record_acts(driver, [act])

    async def replayed(self, letters: Sequence[Kept]) -> None:
        """Delete letters that are on their way again; one that has come back since it was read stays."""
        with by_whose_fault():
            async with driving(self._engine) as driver:
                await sql.REPLAYED.run(
                    driver,
                    letter_ids=[kept.letter.letter_id for kept in letters],
                    positions=[kept.position for kept in letters],
                )

    async def drop(self, letters: Sequence[Kept], why: str, act: Act) -> None:
        """Delete letters for good: the inbox drops every later copy, and says why."""
        known = [kept.letter for kept in letters if kept.letter.event_id is not None]
        event_ids, types = [letter.event_id for letter in known], [letter.type for letter in known]
        with by_whose_fault():
            async with transacting(self._engine) as driver:
                await sql.DROP.run(driver, event_ids=event_ids, types=types, why=why)
                await sql.DISCARD.run(driver, letter_ids=[kept.letter.letter_id for kept in letters])
                await record_acts(driver, [act])


def _parameters(selection: Selection) -> dict[str, Sequence[UUID] | Sequence[str] | str | None]:
    return {
        "letter_ids": selection.letter_ids,
        "error_class": selection.error_class,
        "lanes": selection.lanes,
    }


def _kept(row: asyncpg.Record) -> Kept:
    event = read_anew(row["body"], row["lane"])
    letter = Letter(
        letter_id=row["letter_id"],
        lane=row["lane"],
        event_id=event and event.event_id,
        type=event.type if event else row["type"],
        correlation_id=event.correlation_id if event else row["correlation_id"],
        body=row["body"],
        error_class=row["error_class"],
        reason=row["reason"],
        attempts=row["attempts"],
        first_failed_at=row["first_failed_at"],
        last_failed_at=row["last_failed_at"],
    )
    return Kept(letter, row["drained_at"], row["position"])
