"""The store port of one replica, whose transactions take turns with those of another, row by row."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from services.inventory.store import StockBook
from shared.envelope import Envelope
from shared.event import Event
from shared.ports import Claim, ConflictError, Received, Record
from tests.simulation.overlap.schema import Changes, Placed, Row, Schema, changed, overlaid
from tests.simulation.states import states_of
from tests.simulation.store import At, MemoryStore, MemoryTransaction
from tests.simulation.tables import Tables

T = TypeVar("T")


class Kind(StrEnum):
    """What a transaction does in one step."""

    RECEIVE = "receive"
    LOAD = "load"
    READ = "read"
    SAVE = "save"
    LOG = "log"
    COMMIT = "commit"


class Step(NamedTuple):
    """What is done in one go to some rows."""

    kind: Kind
    rows: tuple[Row, ...] = ()
    logged: tuple[str, ...] = ()
    """The types of the events that are logged in it."""

    @property
    def locks(self) -> tuple[Row, ...]:
        """The rows that nobody else may hold meanwhile."""
        return () if self.kind is Kind.READ else self.rows


Turn = Callable[[Step], Awaitable[None]]
"""Waits until it is this replica's turn to take a step, and nobody else holds its rows."""


class OverlappingStore(MemoryStore):
    """One replica's way to a schema that others have too. What is no transaction of the shell's is done at once."""

    def __init__(self, who: str, service: str, schema: Schema, turn: Turn, at: At) -> None:
        self.schema = schema
        self.who = who
        self.turn = turn
        committed = schema.tables
        super().__init__(states_of(service), at, schema.removed)
        schema.tables = committed

    @property
    def tables(self) -> Tables:
        """What is committed."""
        return self.schema.tables

    @tables.setter
    def tables(self, tables: Tables) -> None:
        self.schema.tables = tables

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["OverlappingTransaction"]:
        """Begin; what was done is there once the block has ended, and its rows are held until then."""
        transaction = OverlappingTransaction(self)
        try:
            yield transaction
            await self.turn(Step(Kind.COMMIT))
            self.schema.commit(transaction.changes, transaction.placed)
        finally:
            self.schema.end(transaction.number)


class OverlappingTransaction(MemoryTransaction):
    """One transaction of many. A statement sees what is committed by then, with what this transaction has done."""

    def __init__(self, store: OverlappingStore) -> None:
        self._schema = store.schema
        self._turn = store.turn
        self._who = store.who
        self.number = 0
        self.changes: Changes = {}
        self.placed: Sequence[Placed] = ()
        super().__init__(store, store.tables)

    @property
    def tables(self) -> Tables:
        """What it would see now."""
        return overlaid(self._schema.tables, self.changes)

    @tables.setter
    def tables(self, tables: Tables) -> None:
        self._schema.count_intents(tables.position)
        self.changes = changed(self._schema.tables, tables)

    async def receive(self, envelopes: Sequence[Envelope]) -> Received:
        """Put ids into the inbox, one after the other; who finds one that another is putting there waits."""
        for event_id in self._in_order(dict.fromkeys(each.event_id for each in envelopes)):
            await self._take(Kind.RECEIVE, ("inbox", event_id))
        return await super().receive(envelopes)

    async def load(self, events: Sequence[Event]) -> Any:
        """Lock the states, one after the other, and read each as it is then: orders first, in a statement of theirs."""
        view = self.tables
        for kind in (UUID, str):
            rows = [key for key in _rows_of(self._store.states.load(view, events)) if isinstance(key, kind)]
            if rows and "row locks" in self._schema.removed:
                await self._turn(Step(Kind.READ, tuple(("states", key) for key in rows)))
            for key in () if "row locks" in self._schema.removed else self._in_order(rows):
                await self._take(Kind.LOAD, ("states", key))
            view = self._seen(kind, rows, view)
        return self._store.states.load(view, events)

    def _seen(self, kind: type, rows: Sequence[Any], before: Tables) -> Tables:
        """Give what a statement has read of one kind of rows: those that were there as it began, as they are now."""
        now = self.tables.states
        others = {key: state for key, state in before.states.items() if not isinstance(key, kind)}
        return replace(before, states={**others, **{key: now[key] for key in rows}})

    async def write(self, book: Any, record: Record) -> Sequence[Claim]:
        """Save the states, one after the other, then everything beside them."""
        written = [key for key, versioned in _rows_of(book).items() if versioned.version != versioned.loaded]
        for key in self._in_order(written):
            await self._take(Kind.SAVE, ("states", key))
        if rows := _unique_rows(record):
            await self._take(Kind.LOG, *rows, logged=[entry.logged.type for entry in record.entries])
        self._refuse_what_is_there(record)
        self.placed = [Placed(self._schema.place(self.number), entry) for entry in record.entries]
        return await super().write(book, record)

    async def _take(self, kind: Kind, *rows: Row, logged: Sequence[str] = ()) -> None:
        """Lock rows, in a turn of its own where that is something that another can notice."""
        if all(self._schema.holds(row, self.number) for row in rows):
            return
        await self._turn(Step(kind, rows, tuple(logged)))
        self.number = self.number or self._schema.begin(self._who)
        for row in rows:
            self._schema.hold(row, self.number)

    def _in_order(self, keys: Iterable[T]) -> Iterable[T]:
        return keys if "sorted locks" in self._schema.removed else sorted(keys, key=str)

    def _refuse_what_is_there(self, record: Record) -> None:
        """Hold a log to its key. Raises `ConflictError` where somebody else has logged that version of a stream."""
        for entry in record.entries:
            if any(entry.version == other.version for other in self._schema.tables.logs.get(entry.stream_id, ())):
                raise ConflictError("another has logged that version")
        if any(request.identity in self._schema.tables.answers for request, _, _ in record.answers):
            raise ConflictError("another has answered that request")


def _rows_of(book: Any) -> dict[Any, Any]:
    return {**book.reservations, **book.shelves} if isinstance(book, StockBook) else book.loaded


def _unique_rows(record: Record) -> list[Row]:
    logged: list[Row] = [("events", (entry.stream_id, entry.version)) for entry in record.entries]
    return [*logged, *(("requests", request.identity) for request, _, _ in record.answers)]
