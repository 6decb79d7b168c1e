"""One schema while transactions run in it: who holds which row, what has which place in the log, what is committed.

As PostgreSQL does it for the kit at READ COMMITTED: a row is locked until the transaction that wrote or locked it
ends, each statement sees what is committed when it runs and what its own transaction has done, a position is taken
when a row is logged and not when it is committed, and a transaction is counted from its first write.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias

from shared.ports import LogEntry
from shared.store.place import Place
from tests.simulation.tables import OWNERS, Tables

Row: TypeAlias = tuple[str, Hashable]
"""A row that is locked, or a unique key: in which table, and which."""
Changes: TypeAlias = Mapping[str, Mapping[Any, Any]]
"""By table and key, the rows that a transaction has written; `GONE` where it deleted one."""
GONE = object()
TABLES = (*OWNERS, "outbox", "suspects")
PAGE_MAX_EVENTS = 1
"""So every event of a transaction is the last of a page."""


class Placed(NamedTuple):
    """An event of the log where it stands there."""

    place: Place
    entry: LogEntry


class SharedSchema:
    """What is committed is in `tables` and `log`; `removed` names safeguards that are off."""

    def __init__(self, tables: Tables, removed: Collection[str] = ()) -> None:
        self.tables = tables
        self.removed = removed
        self.log: tuple[Placed, ...] = ()
        self.running: dict[int, str] = {}
        """The transactions that have written and not ended, and whose each is."""
        self.taken: tuple[Place, ...] = ()
        """Every place in the log, also of what is not committed, or was rolled back."""
        self.last_transaction = 0
        self._holders: dict[Row, int] = {}

    def begin(self, who: str) -> int:
        """Count a transaction that is about to write for the first time."""
        self.last_transaction += 1
        self.running[self.last_transaction] = who
        return self.last_transaction

    def holds(self, row: Row, transaction: int) -> bool:
        """Whether a transaction has locked a row."""
        return self._holders.get(row) == transaction

    def hold(self, row: Row, transaction: int) -> None:
        """Lock a row that nobody else holds."""
        assert self._holders.setdefault(row, transaction) == transaction

    def holder(self, row: Row) -> str | None:
        """Name who holds a row."""
        return self.running[self._holders[row]] if row in self._holders else None

    def place(self, transaction: int) -> Place:
        """Take the next position of the log."""
        place = Place(transaction, len(self.taken) + 1)
        self.taken = *self.taken, place
        return place

    def count_intents(self, position: int) -> None:
        """Take positions for intents; like those of the log they are taken for good."""
        if position > self.tables.position:
            self.tables = replace(self.tables, position=position)

    def commit(self, changes: Changes, placed: Sequence[Placed]) -> None:
        """Let everybody see what a transaction has done."""
        self.tables = overlaid(self.tables, changes)
        self.log = (*self.log, *placed)

    def end(self, transaction: int) -> None:
        """Let go of all that a transaction holds, whether it was committed or is rolled back."""
        self.running.pop(transaction, None)
        self._holders = {row: holder for row, holder in self._holders.items() if holder != transaction}

    def end_of(self, who: str) -> None:
        """Roll back what a process had open when it died."""
        for transaction in [each for each, owner in self.running.items() if owner == who]:
            self.end(transaction)

    @property
    def horizon(self) -> int:
        """The transaction that the feed ends below: the oldest that runs, or the next one."""
        oldest = min(self.running, default=self.last_transaction + 1)
        return self.last_transaction + 1 if "feed horizon" in self.removed else oldest

    def page(self, after: Place) -> Sequence[Placed]:
        """Give what the feed gives whoever goes on from a place."""
        there = [each for each in self.log if each.place.transaction_id < self.horizon]
        beyond = sorted((each for each in there if self._order(each.place) > self._order(after)), key=self._order_of)
        return beyond[:PAGE_MAX_EVENTS]

    def _order_of(self, placed: Placed) -> tuple[int, ...]:
        return self._order(placed.place)

    def _order(self, place: Place) -> tuple[int, ...]:
        order = place.transaction_id, place.position
        return order[1:] if "feed by transaction" in self.removed else order

    @property
    def key(self) -> Hashable:
        """Tell it from others by all that decides what can happen next."""
        return self.tables.key, frozenset(each.place for each in self.log), tuple(self.running.items()), self.taken


def overlaid(tables: Tables, changes: Changes) -> Tables:
    """Give tables as they are with a transaction's changes in them."""
    after: dict[str, Any] = {}
    for name, written in changes.items():
        rows = {**getattr(tables, name), **written}
        after[name] = {key: row for key, row in rows.items() if row is not GONE}
    for stream, log in changes.get("logs", {}).items():
        there = tables.logs.get(stream, ())
        after["logs"][stream] = (*there, *(entry for entry in log if entry not in there))
    return replace(tables, **after)


def changed(before: Tables, after: Tables) -> Changes:
    """Tell what is otherwise in `after`."""
    return {name: _changed_rows(getattr(before, name), getattr(after, name)) for name in TABLES}


def _changed_rows(before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Mapping[Any, Any]:
    written = {key: row for key, row in after.items() if before.get(key, GONE) is not row}
    return {**written, **{key: GONE for key in before if key not in after}}
