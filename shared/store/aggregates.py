"""Aggregates in a table: loaded and locked by key, kept in a book, saved by version. Written once for all services.

A row's `version` is that of its stream's last logged event. A row that is new is inserted, a row that was loaded
is updated where its version is still the one loaded; anything else is a conflict, and the batch runs again.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnClause,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSON

from shared.event import Event
from shared.ports import ConflictError
from shared.store.connection import rows_json
from shared.store.driver import Driver, Statement

K = TypeVar("K", UUID, str)
Row: TypeAlias = Mapping[Any, Any]
"""A row by the names of its columns."""


@dataclass(slots=True)
class Versioned:
    """A state with its version now, and the one it was loaded at: 0 is a row that does not exist."""

    state: Any
    version: int = 0
    loaded: int = 0


class Aggregates(Generic[K]):
    """The table of one kind of aggregate, keyed by its primary key `key`. Columns `written_once` are never updated."""

    def __init__(
        self,
        table: Table,
        key: str,
        to_row: Callable[[Any], Mapping[str, Any]],
        from_row: Callable[[Row], Any],
        written_once: Collection[str] = (),
    ) -> None:
        self._to_row = to_row
        self._from_row = from_row
        self._key = key
        self._written_once = written_once
        own: Column[Any] = table.c[key]
        keys = bindparam("keys", type_=ARRAY(own.type))
        self._select = Statement(select(table).where(own == func.any(keys)).order_by(own).with_for_update())
        rows = func.json_to_recordset(cast(bindparam("rows", type_=Text), JSON))
        typed: list[ColumnClause[Any]] = [column(c.name, c.type) for c in table.columns]
        incoming = rows.table_valued(*typed, column("loaded", BigInteger)).render_derived("r", with_types=True)
        names = [c.name for c in table.columns]
        ordered = select(*(incoming.c[n] for n in names)).order_by(incoming.c[key])
        self._insert = Statement(insert(table).from_select(names, ordered))
        self._update = Statement(
            update(table)
            .where(and_(own == incoming.c[key], own == func.any(keys), table.c.version == incoming.c.loaded))
            .values({n: incoming.c[n] for n in names if n != key and n not in written_once})
        )

    async def load(self, driver: Driver, keys: Iterable[K]) -> dict[K, Versioned]:
        """Load and lock the aggregates of `keys`, in the order of their keys; a missing one has no entry."""
        wanted = sorted(set(keys))
        if not wanted:
            return {}
        rows = await self._select.rows(driver, keys=wanted)
        return {r[self._key]: Versioned(self._from_row(r), r["version"], r["version"]) for r in rows}

    async def save(self, driver: Driver, loaded: Mapping[K, Versioned]) -> None:
        """Insert the new and update the changed.

        Raises:
            ConflictError: a row is no longer at the version it was loaded at.
        """
        changed = [(key, v) for key, v in loaded.items() if v.version != v.loaded]
        fresh = [self._row(key, v) for key, v in changed if v.loaded == 0]
        known = [self._row(key, v, self._written_once) for key, v in changed if v.loaded != 0]
        if fresh:
            await self._insert.run(driver, rows=rows_json(fresh))
        if known:
            keys = [row[self._key] for row in known]
            updated = await self._update.run(driver, rows=rows_json(known), keys=keys)
            if updated != len(known):
                raise ConflictError(f"{len(known) - updated} of {len(known)} rows changed under us")

    def _row(self, key: K, versioned: Versioned, without: Collection[str] = ()) -> dict[str, Any]:
        row = dict(self._to_row(versioned.state))
        for column_name in without:
            del row[column_name]
        return {**row, self._key: key, "version": versioned.version, "loaded": versioned.loaded}


class AggregateBook(Generic[K]):
    """The book of a service whose events are each about one aggregate, which `key` tells."""

    def __init__(self, key: Callable[[Event], K], stream: Callable[[K], UUID], loaded: dict[K, Versioned]) -> None:
        self._key: Callable[[Event], K] = key
        self._stream: Callable[[K], UUID] = stream
        self.loaded: dict[K, Versioned] = loaded

    def read(self, event: Event) -> Any:
        """Give the aggregate's state; None if it does not exist."""
        versioned = self.loaded.get(self._key(event))
        return None if versioned is None else versioned.state

    def position(self, event: Event) -> tuple[UUID, int]:
        """Give the aggregate's stream and version."""
        key = self._key(event)
        versioned = self.loaded.get(key)
        return self._stream(key), 0 if versioned is None else versioned.version

    def write(self, event: Event, state: Any, logged: int) -> None:
        """Put the aggregate's next state back."""
        versioned = self.loaded.setdefault(self._key(event), Versioned(None))
        versioned.state = state
        versioned.version += logged


class OneAggregate:
    """The states of a service whose events are all about one order's aggregate, in one table."""

    def __init__(self, aggregates: Aggregates[UUID]) -> None:
        self._aggregates = aggregates

    async def load(self, driver: Driver, events: Sequence[Event]) -> AggregateBook[UUID]:
        """Load and lock the aggregate of every order that `events` name."""
        loaded = await self._aggregates.load(driver, map(order_of, events))
        return AggregateBook(order_of, lambda order_id: order_id, loaded)

    async def save(self, driver: Driver, book: AggregateBook[UUID]) -> None:
        """Save what changed."""
        await self._aggregates.save(driver, book.loaded)


def order_of(event: Any) -> UUID:
    """Give the order that an event is about."""
    order_id: UUID = event.order_id
    return order_id
