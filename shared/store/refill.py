"""Putting events of the log back into the outbox, when a lane has lost what was published to it before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.store.actions import Act, record_acts
from shared.store.connection import by_whose_fault
from shared.store.driver import transacting
from shared.store.operating import REFILL, REFILL_BEGINS
from shared.store.place import Place

LOT_MAX_EVENTS = 5_000
"""So many entries of the log are looked at in one transaction."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What came of one lot: how many events wait in the outbox again, and where to go on; None at the log's end."""

    refilled: int
    next: Place | None


class Refill:
    """Refills from one service's log. The relay publishes what is put back, and every inbox drops what it knows."""

    def __init__(self, engine: AsyncEngine, lot_max_events: int = LOT_MAX_EVENTS) -> None:
        self._engine = engine
        self._lot_max_events = lot_max_events

    async def lot(self, types: Sequence[str], since: datetime, after: Place | None, about: str) -> Lot:
        """Walk over one lot of the log, and put back what is of these types and not older than `since`."""
        with by_whose_fault():
            async with transacting(self._engine) as driver:
                if after is None:
                    ((first,),) = await REFILL_BEGINS.rows(driver, since=since)
                    after = Place(int(first or 0), 0)
                rows = await REFILL.rows(
                    driver,
                    transaction_id=str(after.transaction_id),
                    position=after.position,
                    limit=self._lot_max_events,
                    types=list(types),
                    since=since,
                )
                lot = Lot(0, None)
                for row in rows:  # one, or none where the log ends
                    ends = row["walked"] < self._lot_max_events
                    lot = Lot(row["refilled"], None if ends else Place(int(row["transaction_id"]), row["position"]))
                details = {"since": since, "after": str(after), "refilled": lot.refilled}
                await record_acts(driver, [Act("refill", about, details)])
        return lot
