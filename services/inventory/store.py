"""Inventory's two tables, the way between their rows and the states, and the book over both.

Reservations come before stock, and the stock of a whole batch is locked in the order of its SKUs: batches of
several replicas that want the same goods in opposite orders wait for each other and never deadlock.
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from services.inventory.events import ReceiptRequested
from services.inventory.state import Committed, Held, Holding, Level, Rejected, Released, Reservation
from shared.event import Event
from shared.ids import stream_id
from shared.store.aggregates import Aggregates, Row, Versioned, order_of
from shared.store.driver import Driver
from shared.vocabulary.inventory import StockLine
from shared.vocabulary.order import OrderPlaced

_metadata = MetaData()
reservations = Table(
    "reservations",
    _metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("status", Text),
    Column("lines", JSONB),
)
stock = Table(
    "stock",
    _metadata,
    Column("sku", Text, primary_key=True),
    Column("version", BigInteger),
    Column("receipts", BigInteger),
    Column("received", BigInteger),
    Column("available", BigInteger),
    Column("reserved", BigInteger),
    Column("sold", BigInteger),
)
_STATUS = {Held: "held", Committed: "committed", Rejected: "rejected", Released: "released"}


def to_row(reservation: Reservation) -> dict[str, Any]:
    """Write a reservation as a row."""
    lines = reservation.lines if isinstance(reservation, Held | Committed) else ()
    return {"status": _STATUS[type(reservation)], "lines": [line.model_dump() for line in lines]}


def from_row(row: Row) -> Reservation:
    """Read a row as a reservation."""
    order_id, lines = row["order_id"], tuple(StockLine.model_validate(line) for line in row["lines"])
    match row["status"]:
        case "held":
            return Held(order_id, lines)
        case "committed":
            return Committed(order_id, lines)
        case "rejected":
            return Rejected(order_id)
        case "released":
            return Released(order_id)
    raise AssertionError(f"the schema lets no such row be: {row['status']}")


class Shelf:
    """The stock of one SKU as it is stored: its level, and how many receipts its stream has logged."""

    __slots__ = ("level", "receipts")

    def __init__(self, level: Level, receipts: int) -> None:
        self.level = level
        self.receipts = receipts


def level_of(row: Row) -> Level:
    """Read a stock level off a row."""
    return Level(row["received"], row["available"], row["reserved"], row["sold"])


def _shelf_to_row(shelf: Shelf) -> dict[str, Any]:
    level = shelf.level
    return {
        "receipts": shelf.receipts,
        "received": level.received,
        "available": level.available,
        "reserved": level.reserved,
        "sold": level.sold,
    }


def _shelf_from_row(row: Row) -> Shelf:
    return Shelf(level_of(row), row["receipts"])


class StockBook:
    """The reservations and the stock that a batch touches."""

    def __init__(self, held: dict[UUID, Versioned], shelves: dict[str, Versioned]) -> None:
        self.reservations = held
        self.shelves = shelves

    def read(self, event: Event) -> Holding:
        """Give the order's reservation with the levels of its lines, or the one level that a receipt is about."""
        if isinstance(event, ReceiptRequested):
            return Holding(None, self._levels([event.sku]))
        reservation = self._reservation(order_of(event)).state
        return Holding(reservation, self._levels(_skus(event, reservation)))

    def position(self, event: Event) -> tuple[UUID, int]:
        """A reservation's stream is its order's; a receipt is logged on the stream of its SKU."""
        if isinstance(event, ReceiptRequested):
            shelf = self.shelves.get(event.sku)
            return stream_id("stock", event.sku), shelf.state.receipts if shelf else 0
        order_id = order_of(event)
        return order_id, self._reservation(order_id).version

    def write(self, event: Event, state: Holding, logged: int) -> None:
        """Put the reservation back, and the levels that changed."""
        is_receipt = isinstance(event, ReceiptRequested)
        if not is_receipt:
            versioned = self.reservations.setdefault(order_of(event), Versioned(None))
            versioned.state = state.reservation
            versioned.version += logged
        for sku, level in state.stock.items():
            shelf = self.shelves.setdefault(sku, Versioned(Shelf(Level(), 0)))
            if shelf.state.level != level:
                shelf.state = Shelf(level, shelf.state.receipts + (logged if is_receipt else 0))
                shelf.version += 1

    def _reservation(self, order_id: UUID) -> Versioned:
        return self.reservations.get(order_id) or Versioned(None)

    def _levels(self, skus: Iterable[str]) -> dict[str, Level]:
        return {sku: self.shelves[sku].state.level for sku in skus if sku in self.shelves}


class InventoryStates:
    """Loads and saves both tables."""

    def __init__(self) -> None:
        self._reservations = Aggregates[UUID](reservations, "order_id", to_row, from_row)
        self._stock = Aggregates[str](stock, "sku", _shelf_to_row, _shelf_from_row)

    async def load(self, driver: Driver, events: Sequence[Event]) -> StockBook:
        """Lock the reservations first, then the stock of all lines that they or the events name."""
        order_ids = [order_of(event) for event in events if not isinstance(event, ReceiptRequested)]
        held = await self._reservations.load(driver, order_ids)
        skus = {line.sku for v in held.values() for line in getattr(v.state, "lines", ())}
        for event in events:
            if isinstance(event, ReceiptRequested):
                skus.add(event.sku)
            elif isinstance(event, OrderPlaced):
                skus.update(line.sku for line in event.lines)
        return StockBook(held, await self._stock.load(driver, skus))

    async def save(self, driver: Driver, book: StockBook) -> None:
        """Save what changed, in the same order."""
        await self._reservations.save(driver, book.reservations)
        await self._stock.save(driver, book.shelves)


def _skus(event: Event, reservation: Reservation | None) -> Iterable[str]:
    lines = event.lines if isinstance(event, OrderPlaced) else getattr(reservation, "lines", ())
    return [line.sku for line in lines]


states = InventoryStates()
