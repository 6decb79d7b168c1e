"""How an order's state is folded from its log: the same steps as in `state.py`, told by what was logged alone.

Not in the log, because nothing is decided by them, and so left out: the e-mail address, which is kept in one row alone,
and the moment of placing.
"""

from dataclasses import replace
from datetime import UTC, datetime

from services.order.events import MoneyBook, MoneyBookClosed, StockBook, StockBookClosed
from services.order.state import Order, Status
from shared.event import Event
from shared.outcome import ImpossibleError
from shared.vocabulary.order import CancelReason, OrderCancelled, OrderConfirmed, OrderPlaced

UNKNOWN_TIME = datetime.min.replace(tzinfo=UTC)


def evolve(order: Order | None, event: Event) -> Order:
    """Give the state that a logged event leads to.

    Raises:
        ImpossibleError: no reaction logs it in this state.
    """
    match order, event:
        case None, OrderPlaced():
            return Order(event.order_id, event.customer_id, "", event.lines, event.total, UNKNOWN_TIME)
        case Order(status=Status.PENDING), OrderConfirmed():
            return order.confirmed()
        case Order(status=Status.PENDING), OrderCancelled(reason=reason):
            return order.cancelled(reason)
        case Order(status=Status.CONFIRMED), OrderCancelled(reason=CancelReason.CUSTOMER_REQUEST as reason):
            return order.cancelled(reason)
        case Order(status=Status.CONFIRMED, stock=StockBook.OPEN), StockBookClosed(closing=StockBook.COMMITTED):
            return replace(order, stock=StockBook.COMMITTED)
        case Order(status=Status.CANCELLED, stock=StockBook.OPEN), StockBookClosed(closing=StockBook.RELEASED):
            return replace(order, stock=StockBook.RELEASED)
        case Order(status=Status.CANCELLED, money=MoneyBook.OPEN), MoneyBookClosed(closing=closing):
            if closing is not MoneyBook.OPEN:
                return replace(order, money=closing)
    raise ImpossibleError(f"{event.kind.name} for an order that is {order.status if order else 'not placed'}")


def as_logged(order: Order) -> Order:
    """Give a state without what its log does not tell."""
    return replace(order, email="", placed_at=UNKNOWN_TIME)
