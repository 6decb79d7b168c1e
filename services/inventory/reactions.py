"""What inventory does: the table of contents of this service. Holding stands next to selling and letting go."""

from collections import Counter
from dataclasses import replace

from services.inventory.events import ReceiptRequested, StockReceived
from services.inventory.state import Committed, Held, Holding, Rejected, Released
from shared.outcome import ImpossibleError, Outcome, advance, ignore
from shared.reactions import Reactions
from shared.vocabulary.inventory import (
    RejectReason,
    StockCommitted,
    StockLine,
    StockRejected,
    StockReleased,
    StockReserved,
)
from shared.vocabulary.order import OrderCancelled, OrderConfirmed, OrderPlaced

reactions = Reactions("inventory")


@reactions.on(OrderPlaced, takes="stock")
def reserve(placed: OrderPlaced, holding: Holding) -> Outcome[StockReserved | StockRejected]:
    """Hold every line of the order, or none."""
    order_id = placed.order_id
    match holding.reservation:
        case None:
            lines = _by_sku(placed)
            if missing := holding.missing(lines):
                rejected = StockRejected(order_id=order_id, reason=RejectReason.INSUFFICIENT_STOCK, missing=missing)
                return advance(replace(holding, reservation=Rejected(order_id)), rejected)
            return advance(holding.held(order_id, lines), StockReserved(order_id=order_id, lines=lines))
        case Released():
            return ignore("the order was cancelled first")
        case _:
            return ignore("it was decided before")


def _by_sku(placed: OrderPlaced) -> tuple[StockLine, ...]:
    """Add the lines up by SKU: two lines of one would each find enough where there is not enough for both."""
    quantities: Counter[str] = Counter()
    for line in placed.lines:
        quantities[line.sku] += line.quantity
    return tuple(StockLine(sku=sku, quantity=quantity) for sku, quantity in quantities.items())


@reactions.on(OrderConfirmed, takes="stock")
def commit(confirmed: OrderConfirmed, holding: Holding) -> Outcome[StockCommitted]:
    """Sell what is held."""
    match holding.reservation:
        case Held() as held:
            committed = StockCommitted(order_id=held.order_id, lines=held.lines)
            return advance(holding.committed(held), committed)
        case Committed():
            return ignore("it is sold already")
        case Released():
            return ignore("the order was cancelled after it was confirmed")
        case _:
            raise ImpossibleError("a confirmation of an order whose stock was never held")


@reactions.on(OrderCancelled, undoes=(reserve, commit))
def release(cancelled: OrderCancelled, holding: Holding) -> Outcome[StockReleased]:
    """Undo whatever was done, and say so once; where nothing was, leave a tombstone."""
    order_id = cancelled.order_id
    match holding.reservation:
        case None | Rejected():
            return advance(holding.released(order_id), StockReleased(order_id=order_id, lines=(), restocked=False))
        case Held(lines=lines):
            released = StockReleased(order_id=order_id, lines=lines, restocked=False)
            return advance(holding.released(order_id), released)
        case Committed(lines=lines):
            released = StockReleased(order_id=order_id, lines=lines, restocked=True)
            return advance(holding.released(order_id), released)
        case Released():
            return ignore("it is released already")


@reactions.on(ReceiptRequested)
def receive(request: ReceiptRequested, holding: Holding) -> Outcome[StockReceived]:
    """Put new goods on the shelf."""
    received = StockReceived(receipt_id=request.receipt_id, sku=request.sku, quantity=request.quantity)
    return advance(holding.received(request.sku, request.quantity), received)
