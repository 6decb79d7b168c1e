"""The table of dead letters."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.letters import Letter
from shared.store.connection import by_whose_fault
from shared.store.driver import Statement, transacting

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
        error_class = excluded.error_class, last_failed_at = greatest(kept.last_failed_at, excluded.last_failed_at)
""")
)

CLEAR = Statement(text("DELETE FROM suspects WHERE event_id = ANY(CAST(:event_ids AS uuid[]))"))


class DeadLetters:
    """One service's dead letters."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, letters: Sequence[Letter]) -> None:
        """Keep letters, note in the inbox that their events are dead, and suspect them no longer."""
        event_ids = [letter.event_id for letter in letters]
        types, reasons = [letter.type for letter in letters], [letter.reason for letter in letters]
        with by_whose_fault():
            async with transacting(self._engine) as driver:
                await BURY.run(driver, event_ids=event_ids, types=types, reasons=reasons)
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
