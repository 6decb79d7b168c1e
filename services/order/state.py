"""The state of an order.

nothing → pending → confirmed → cancelled
                  ↘ cancelled
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.order.events import MoneyBook, PlacementRequested, StockBook
from shared.vocabulary.money import Money
from shared.vocabulary.order import CancelReason, OrderLine


class Status(StrEnum):
    """The order's own verdict."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Order:
    """An order, and what the other services said to close their books on it."""

    order_id: UUID
    customer_id: str
    email: str = field(repr=False)
    lines: tuple[OrderLine, ...]
    total: Money
    placed_at: datetime
    status: Status = Status.PENDING
    reason: CancelReason | None = None
    stock: StockBook = StockBook.OPEN
    money: MoneyBook = MoneyBook.OPEN

    @classmethod
    def placed(cls, request: PlacementRequested) -> "Order":
        """Begin."""
        return cls(
            order_id=request.order_id,
            customer_id=request.customer_id,
            email=request.email,
            lines=request.lines,
            total=request.total,
            placed_at=request.placed_at,
        )

    def confirmed(self) -> "Order":
        """Stock is held and money is captured."""
        return replace(self, status=Status.CONFIRMED)

    def cancelled(self, reason: CancelReason) -> "Order":
        """Everybody undoes what they did, so the stock's book is open again; the money's was not closed before."""
        return replace(self, status=Status.CANCELLED, reason=reason, stock=StockBook.OPEN)

    @property
    def settled(self) -> bool:
        """Every service has closed its books on what the order came to."""
        match self.status:
            case Status.PENDING:
                return False
            case Status.CONFIRMED:
                return self.stock is StockBook.COMMITTED
            case Status.CANCELLED:
                return self.stock is StockBook.RELEASED and self.money is not MoneyBook.OPEN
