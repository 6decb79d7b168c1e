"""Ways in which the SQL could be wrong: each of them has to be told from the model."""

from dataclasses import dataclass
from typing import Any

from services.inventory.store import InventoryStates
from services.inventory.store import states as inventory
from shared.store import dead_letters, operating
from shared.store import statements as sql
from shared.store.driver import Statement
from tests.reality.lockstep import Manner

assert isinstance(inventory, InventoryStates)
STOCK: Any = inventory._stock
HARD = Manner(is_hard=True)


@dataclass(frozen=True, slots=True)
class Tooth:
    """What is broken, and how: pieces of statements, and what stands there instead."""

    name: str
    breaks: tuple[tuple[Statement, str, str], ...]
    manner: Manner = HARD
    """How the schedules are drawn that tell it."""
    tells: int = 0
    """One that tells it now; those after it may as well, should the simulator draw others one day."""


TEETH = (
    Tooth(
        "an event is new each time",
        ((sql.RECEIVE, "FROM fresh", "FROM json_to_recordset($1) AS r(event_id uuid, type text)"),),
    ),
    Tooth("what was ignored is told as advanced", ((sql.IGNORE, "outcome = 'ignored'", "outcome = 'dropped'"),)),
    Tooth("the inbox keeps what raised", ((sql.FORGET_RAISED, "WHERE", "WHERE false AND"),), tells=3),
    Tooth("what was survived is suspected on", ((sql.SURVIVED, "WHERE", "WHERE false AND"),)),
    Tooth("no life is counted", ((sql.SUSPECT, "THEN 0 ELSE 1", "THEN 0 ELSE 0"),), Manner("deadly")),
    Tooth("what is private is posted too", ((sql.LOG, "WHERE public", ""),)),
    Tooth("any confirm deletes", ((sql.DELETE_CONFIRMED, " AND outbox.generation = r.generation", ""),), tells=76),
    Tooth("nothing is withdrawn", ((sql.WITHDRAW, "AND i.kind = r.kind", "AND false"),)),
    Tooth(
        "whatever is due now is leased",
        ((sql.INTEND, "LIMIT 1) IS NULL", "LIMIT 1) IS NULL OR after_s = 0"),),
        Manner("cancel"),
        tells=3,
    ),
    Tooth("a claim has the token of the one before", ((sql.CLAIM_INTENTS, "token = token + 1", "token = token"),)),
    Tooth("any token is good", ((sql.RESCHEDULE, "AND token = ", "AND 0 < "),), tells=4),
    Tooth("a dead event is not buried", ((dead_letters.BURY, "WHERE event_id IS NOT NULL", "WHERE false"),), tells=3),
    Tooth(
        "a letter that is replayed stays dead",
        ((operating.UNBURY, "outcome = 'dead'", "outcome = 'dropped'"),),
        tells=3,
    ),
    Tooth(
        "a refill has no generation",
        ((operating.REFILL, "generation = excluded.generation", "attempts = 0"),),
        Manner(),
        tells=3,
    ),
    Tooth(
        "stock is read without a lock, and written over whatever stands there",
        ((STOCK._select, " FOR UPDATE", ""), (STOCK._update, "stock.version = r.loaded", "true")),
        Manner(races=0.5),
        tells=40,
    ),
)
