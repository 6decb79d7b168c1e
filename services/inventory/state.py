"""The states of a reservation, and the stock levels that it moves.

nothing → Held → Committed → Released
nothing → Rejected         → Released
nothing | Held             → Released, when the order is cancelled
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias
from uuid import UUID

from shared.vocabulary.inventory import StockLine


@dataclass(frozen=True, slots=True)
class Held:
    """Every line is held for the order."""

    order_id: UUID
    lines: tuple[StockLine, ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """Every line is sold."""

    order_id: UUID
    lines: tuple[StockLine, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """Nothing is held: there was not enough."""

    order_id: UUID


@dataclass(frozen=True, slots=True)
class Released:
    """Nothing is held any more, nor ever will be; also the tombstone of a cancellation that came first."""

    order_id: UUID


Reservation: TypeAlias = Held | Committed | Rejected | Released


@dataclass(frozen=True, slots=True)
class Level:
    """The stock of one SKU: `received` is always the sum of the other three."""

    received: int = 0
    available: int = 0
    reserved: int = 0
    sold: int = 0

    def receive(self, quantity: int) -> "Level":
        """New goods are for sale."""
        return replace(self, received=self.received + quantity, available=self.available + quantity)

    def hold(self, quantity: int) -> "Level":
        """Goods for sale are held."""
        return replace(self, available=self.available - quantity, reserved=self.reserved + quantity)

    def sell(self, quantity: int) -> "Level":
        """Held goods are sold."""
        return replace(self, reserved=self.reserved - quantity, sold=self.sold + quantity)

    def let_go(self, quantity: int) -> "Level":
        """Held goods are for sale again: the undoing of `hold`."""
        return self.hold(-quantity)

    def restock(self, quantity: int) -> "Level":
        """Sold goods are for sale again: the undoing of `hold` and `sell`."""
        return replace(self, available=self.available + quantity, sold=self.sold - quantity)


@dataclass(frozen=True, slots=True)
class Holding:
    """What one event needs: an order's reservation, if there is one, with the stock levels of its lines."""

    reservation: Reservation | None = None
    stock: Mapping[str, Level] = field(default_factory=dict)

    def missing(self, lines: Iterable[StockLine]) -> tuple[str, ...]:
        """Give the SKUs of which there is not enough for sale."""
        return tuple(line.sku for line in lines if self.level(line.sku).available < line.quantity)

    def level(self, sku: str) -> Level:
        """Give the stock of a SKU; one never heard of has none."""
        return self.stock.get(sku, Level())

    def held(self, order_id: UUID, lines: tuple[StockLine, ...]) -> "Holding":
        """Hold every line."""
        return self._moved(
            Held(order_id, lines), {line.sku: self.level(line.sku).hold(line.quantity) for line in lines}
        )

    def committed(self, held: Held) -> "Holding":
        """Sell every line that is held."""
        sold = {line.sku: self.level(line.sku).sell(line.quantity) for line in held.lines}
        return self._moved(Committed(held.order_id, held.lines), sold)

    def released(self, order_id: UUID) -> "Holding":
        """Put whatever was held or sold for sale again."""
        match self.reservation:
            case Held(lines=lines):
                back = {line.sku: self.level(line.sku).let_go(line.quantity) for line in lines}
            case Committed(lines=lines):
                back = {line.sku: self.level(line.sku).restock(line.quantity) for line in lines}
            case _:
                back = {}
        return self._moved(Released(order_id), back)

    def received(self, sku: str, quantity: int) -> "Holding":
        """Put new goods on the shelf."""
        return self._moved(self.reservation, {sku: self.level(sku).receive(quantity)})

    def _moved(self, reservation: Reservation | None, levels: Mapping[str, Level]) -> "Holding":
        return Holding(reservation, {**self.stock, **levels})
