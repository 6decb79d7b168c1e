"""What a service's own tables hold, loaded into the service's own book and saved back by version."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from services.inventory.events import ReceiptRequested
from services.inventory.store import StockBook
from shared.event import Event
from shared.ports import ConflictError, RefusedError
from shared.store.aggregates import AggregateBook, Versioned, order_of
from shared.vocabulary.order import OrderPlaced
from tests.simulation.tables import Tables


class MemoryStates(Protocol):
    """A service's states over `Tables`, as `shared.store.postgres.States` is over PostgreSQL."""

    def load(self, tables: Tables, events: Sequence[Event]) -> Any:
        """Give a book of what `events` are about."""

    def save(self, tables: Tables, book: Any, *, by_version: bool = True) -> dict[Any, tuple[Any, int]]:
        """Give the states as they are after what changed in the book; not `by_version`, over whatever is there."""


def _versioned(tables: Tables, keys: Iterable[Any]) -> dict[Any, Versioned]:
    states = tables.states
    return {key: Versioned(*states[key], states[key][1]) for key in keys if key in states}


def _saved(states: dict[Any, tuple[Any, int]], loaded: dict[Any, Versioned], *, by_version: bool) -> None:
    """Write what changed.

    Raises `ConflictError` where a row is not at the version it was loaded at, unless that is not looked at.
    """
    for key, versioned in loaded.items():
        if versioned.version == versioned.loaded:
            continue
        if by_version and states.get(key, (None, 0))[1] != versioned.loaded:
            raise ConflictError("a row changed under us")
        states[key] = versioned.state, versioned.version


def states_of(service: str) -> MemoryStates:
    """Give the states of a service."""
    return Stock() if service == "inventory" else OneOfAnOrder()


class OneOfAnOrder:
    """One aggregate for each order: order, payment and notification."""

    def load(self, tables: Tables, events: Sequence[Event]) -> AggregateBook[Any]:
        """Give the aggregate of every order that `events` name."""
        loaded = _versioned(tables, dict.fromkeys(map(order_of, events)))
        return AggregateBook(order_of, lambda order_id: order_id, loaded)

    def save(self, tables: Tables, book: AggregateBook[Any], *, by_version: bool = True) -> dict[Any, tuple[Any, int]]:
        """Save what changed."""
        states = dict(tables.states)
        _saved(states, book.loaded, by_version=by_version)
        return states


class Stock:
    """Inventory's: reservations by order, shelves by SKU, and the schema's word that no stock is negative."""

    def load(self, tables: Tables, events: Sequence[Event]) -> StockBook:
        """Give the reservations, and the stock of every line that they or the events name."""
        orders = dict.fromkeys(order_of(each) for each in events if not isinstance(each, ReceiptRequested))
        held = _versioned(tables, orders)
        skus = [line.sku for versioned in held.values() for line in getattr(versioned.state, "lines", ())]
        for event in events:
            if isinstance(event, ReceiptRequested):
                skus.append(event.sku)
            elif isinstance(event, OrderPlaced):
                skus += [line.sku for line in event.lines]
        return StockBook(held, _versioned(tables, skus))

    def save(self, tables: Tables, book: StockBook, *, by_version: bool = True) -> dict[Any, tuple[Any, int]]:
        """Save what changed. Raises `RefusedError` as the table's CHECK would."""
        states = dict(tables.states)
        _saved(states, book.reservations, by_version=by_version)
        _saved(states, book.shelves, by_version=by_version)
        for versioned in book.shelves.values():
            level = versioned.state.level
            if min(level.available, level.reserved, level.sold) < 0:
                raise RefusedError("stock below zero")
        return states
