"""The store port of one replica, whose transactions take turns with those of another, row by row."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from services.inventory.store import StockBook
from shared.envelope import Envelope
from shared.event import Event
from shared.ports import Answer, Claim, ConflictError, Received, Record, Request
from shared.store.aggregates import Versioned
from tests.simulation.overlap.schema import Changes, Placed, Row, SharedSchema, changed, overlaid
from tests.simulation.states import states_of
from tests.simulation.store import At, MemoryStore, MemoryTransaction
from tests.simulation.tables import Tables

T = TypeVar("T")


class Kind(StrEnum):
    """What a replica does in one step, in the order in which it does it."""

    ASK = "ask"
    """Whether a request was answered before."""
    RECEIVE = "receive"
    LOAD = "load"
    READ = "read"
    """Instead of `LOAD`, where rows are not locked."""
    SAVE = "save"
    LOG = "log"
    ANSWER = "answer"
    COMMIT = "commit"
    TELL = "tell"
    """Publish, and ack the message or answer the customer."""


class Step(NamedTuple):
    """What is done in one go to some rows; `written` is what is put there."""

    kind: Kind
    rows: tuple[Row, ...] = ()
    written: tuple[Hashable, ...] = ()

    @property
    def locks(self) -> tuple[Row, ...]:
        """The rows that nobody else may hold meanwhile."""
        return () if self.kind in (Kind.ASK, Kind.READ) else self.rows


Turn = Callable[[Step], Awaitable[None]]
"""Waits until it is this replica's turn to take a step, and nobody else holds its rows."""


class OverlappingStore(MemoryStore):
    """One replica's way to a schema that others have too. What is no transaction of the shell's is done at once."""

    def __init__(self, who: str, service: str, schema: SharedSchema, turn: Turn, at: At) -> None:
        self.who = who
        self.schema = schema
        self._turn = turn
        self.is_in_the_middle = False
        """Of a transaction in which something was done."""
        self.conflicts = 0
        """How often somebody else was there first."""
        committed = schema.tables
        super().__init__(states_of(service), at, schema.removed)
        schema.tables = committed  # it begins with none of its own

    @property
    def tables(self) -> Tables:
        """What is committed."""
        return self.schema.tables

    @tables.setter
    def tables(self, tables: Tables) -> None:
        self.schema.tables = tables

    async def turn(self, step: Step) -> None:
        """Wait for a turn."""
        await self._turn(step)
        self.is_in_the_middle = True

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["OverlappingTransaction"]:
        """Begin; what was done is there once the block has ended, and its rows are held until then."""
        transaction, self.is_in_the_middle = OverlappingTransaction(self), False
        with self._ending(transaction):
            yield transaction
            await self.turn(Step(Kind.COMMIT))
            self.schema.commit(transaction.changes, transaction.placed)
        await self.turn(Step(Kind.TELL))

    @contextmanager
    def _ending(self, transaction: "OverlappingTransaction") -> Iterator[None]:
        try:
            yield
        except ConflictError:
            self.conflicts += 1
            raise
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

    async def answered(self, requests: Sequence[Request]) -> Mapping[tuple[str, str, str], tuple[str, Answer]]:
        """Look for answers of before."""
        await self._turn(Step(Kind.ASK, tuple(("requests", request.identity) for request in requests)))
        return await super().answered(requests)

    async def receive(self, envelopes: Sequence[Envelope]) -> Received:
        """Put ids into the inbox, one after the other; who finds one that another is putting there waits."""
        for event_id in self._in_order(dict.fromkeys(each.event_id for each in envelopes)):
            row = "inbox", event_id
            await self._turn(Step(Kind.RECEIVE, (row,)))
            if event_id not in self._schema.tables.inbox:
                self._hold(row)
        return await super().receive(envelopes)

    async def load(self, events: Sequence[Event]) -> Any:
        """Lock the states, one after the other, and read each as it is then: orders first, in a statement of theirs."""
        seen: dict[Any, Any] = {}
        for kind in (UUID, str):
            keys = self._there(events, kind, seen)
            await self._lock(keys)
            now = self.tables.states
            seen |= {key: now[key] for key in keys}
        return self._store.states.load(replace(self.tables, states=seen), events)

    def _there(self, events: Sequence[Event], kind: type, seen: Mapping[Any, Any]) -> Sequence[Any]:
        """Name the rows of a kind that events are about, and that are there as a statement begins."""
        there = {key: state for key, state in self.tables.states.items() if isinstance(key, kind)}
        book = self._store.states.load(replace(self.tables, states={**seen, **there}), events)
        return [key for key in _rows_of(book) if isinstance(key, kind)]

    async def _lock(self, keys: Sequence[Any]) -> None:
        if "row locks" not in self._schema.removed:
            for key in self._in_order(keys):
                await self._take(Kind.LOAD, ("states", key))
        elif keys:
            await self._turn(Step(Kind.READ, tuple(("states", key) for key in keys)))

    async def write(self, book: Any, record: Record) -> Sequence[Claim]:
        """Save the states, one after the other, then everything beside them."""
        rows = _rows_of(book)
        for key in self._in_order([key for key, row in rows.items() if row.version != row.loaded]):
            await self._take(Kind.SAVE, ("states", key), written=[getattr(rows[key].state, "level", None)])
            self._refuse_changed(key, rows[key])
        await self._log(record)
        claims = await super().write(book, record)
        answers = [request.identity for request, _, _ in record.answers]
        for identity in answers if "one answer" not in self._schema.removed else ():
            await self._take(Kind.ANSWER, ("requests", identity))
            if identity in self._schema.tables.answers:
                raise ConflictError("another has answered that request")
        return claims

    async def _log(self, record: Record) -> None:
        if not record.entries:
            return
        keys: list[Row] = [("events", (entry.stream_id, entry.version)) for entry in record.entries]
        are_unique = "unique versions" not in self._schema.removed
        types = [entry.logged.type for entry in record.entries]
        await self._take(Kind.LOG, *(keys if are_unique else ()), written=types, always=True)
        self.placed = [Placed(self._schema.place(self.number), entry) for entry in record.entries]
        logged = {(stream, entry.version) for stream, log in self._schema.tables.logs.items() for entry in log}
        if are_unique and any(key in logged for _, key in keys):
            raise ConflictError("another has logged that version")

    async def _take(self, kind: Kind, *rows: Row, written: Sequence[Hashable] = (), always: bool = False) -> None:
        """Lock rows, in a turn of its own where another could notice: not of what it holds, unless it is `always`."""
        if not always and all(self._schema.holds(row, self.number) for row in rows):
            return
        await self._turn(Step(kind, rows, tuple(written)))
        for row in rows:
            self._hold(row)

    def _hold(self, row: Row) -> None:
        self.number = self.number or self._schema.begin(self._who)
        self._schema.hold(row, self.number)

    def _in_order(self, keys: Iterable[T]) -> Iterable[T]:
        return keys if "sorted locks" in self._schema.removed else sorted(keys, key=str)

    def _refuse_changed(self, key: Any, row: Versioned) -> None:
        """Raise `ConflictError` where a row is new and there already, or is not at the version that was loaded."""
        is_guarded = row.loaded == 0 or "version guard" not in self._schema.removed
        if is_guarded and self._schema.tables.states.get(key, (None, 0))[1] != row.loaded:
            raise ConflictError("a row changed under us")


def _rows_of(book: Any) -> dict[Any, Versioned]:
    return {**book.reservations, **book.shelves} if isinstance(book, StockBook) else book.loaded
