"""What order does: the table of contents of this service. The order alone judges, so its version decides every race."""

from dataclasses import replace

from services.order.events import (
    CancellationRequested,
    Deadline,
    DeadlinePassed,
    MoneyBook,
    MoneyBookClosed,
    PlacementRequested,
    StockBook,
    StockBookClosed,
)
from services.order.state import Order, Status
from shared.outcome import Advanced, ImpossibleError, Outcome, advance, ignore
from shared.reactions import Reactions
from shared.vocabulary.inventory import StockCommitted, StockRejected, StockReleased
from shared.vocabulary.order import CancelReason, OrderCancelled, OrderConfirmed, OrderPlaced
from shared.vocabulary.payment import PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided

reactions = Reactions("order")


@reactions.on(PlacementRequested)
def place(request: PlacementRequested, order: Order | None) -> Outcome[OrderPlaced | Deadline]:
    """Begin the dance, and set the deadline that ends it whatever the others do."""
    if order is not None:
        return ignore("placed already")
    placed = OrderPlaced(
        order_id=request.order_id,
        customer_id=request.customer_id,
        lines=request.lines,
        total=request.total,
        payment_token=request.payment_token,
    )
    return advance(Order.placed(request), placed, Deadline(order_id=request.order_id, after_s=request.deadline_s))


@reactions.on(PaymentCaptured, withdraws=(Deadline,))
def confirm(captured: PaymentCaptured, order: Order | None) -> Outcome[OrderConfirmed]:
    """Confirm: stock is held, or payment would not have charged, and now the money is there."""
    match order:
        case Order(status=Status.PENDING):
            confirmed = OrderConfirmed(order_id=order.order_id, email=order.email)
            return advance(order.confirmed(), confirmed, withdraw=(Deadline,))
        case Order(status=Status.CONFIRMED):
            return ignore("confirmed already")
        case Order(status=Status.CANCELLED):
            return ignore("cancelled already: payment undoes it on order.cancelled")
        case _:
            raise ImpossibleError("a payment for an order that was never placed")


@reactions.on(StockRejected, withdraws=(Deadline,))
def cancel_for_stock(rejected: StockRejected, order: Order | None) -> Outcome[OrderCancelled]:
    """Cancel: there is not enough of something."""
    return _cancel_pending(order, CancelReason.OUT_OF_STOCK)


@reactions.on(PaymentDeclined, withdraws=(Deadline,))
def cancel_for_payment(declined: PaymentDeclined, order: Order | None) -> Outcome[OrderCancelled]:
    """Cancel: the money is not to be had, or the provider is silent."""
    return _cancel_pending(order, CancelReason.PAYMENT_DECLINED)


def _cancel_pending(order: Order | None, reason: CancelReason) -> Outcome[OrderCancelled]:
    match order:
        case Order(status=Status.PENDING):
            return _cancel(order, reason)
        case Order(status=Status.CANCELLED):
            return ignore("cancelled already")
        case _:
            raise ImpossibleError(f"{reason} for an order that is confirmed, or was never placed")


@reactions.on(DeadlinePassed, withdraws=(Deadline,))
def cancel_for_deadline(passed: DeadlinePassed, order: Order | None) -> Outcome[OrderCancelled]:
    """Cancel what still waits."""
    match order:
        case Order(status=Status.PENDING):
            return _cancel(order, CancelReason.DEADLINE_PASSED)
        case Order():
            return ignore("the verdict came in time")
        case _:
            raise ImpossibleError("the deadline of an order that was never placed")


@reactions.on(CancellationRequested, withdraws=(Deadline,))
def cancel_for_customer(request: CancellationRequested, order: Order | None) -> Outcome[OrderCancelled]:
    """Cancel what is pending, and what is confirmed too."""
    match order:
        case Order(status=Status.PENDING | Status.CONFIRMED):
            return _cancel(order, CancelReason.CUSTOMER_REQUEST)
        case Order():
            return ignore("cancelled already")
        case _:
            return ignore("no such order")


def _cancel(order: Order, reason: CancelReason) -> Advanced[OrderCancelled]:
    """Give the one trigger of compensation."""
    cancelled = OrderCancelled(order_id=order.order_id, reason=reason, email=order.email)
    return advance(order.cancelled(reason), cancelled, withdraw=(Deadline,))


@reactions.on(StockCommitted)
def close_sold(committed: StockCommitted, order: Order | None) -> Outcome[StockBookClosed]:
    """Inventory sold what it held."""
    match order:
        case Order(status=Status.CONFIRMED, stock=StockBook.OPEN):
            return _close_stock(order, StockBook.COMMITTED)
        case Order(status=Status.CONFIRMED):
            return ignore("the stock is committed already")
        case Order(status=Status.CANCELLED):
            return ignore("cancelled meanwhile: the release closes the book")
        case _:
            raise ImpossibleError("stock committed for an order that is not confirmed")


@reactions.on(StockReleased)
def close_released(released: StockReleased, order: Order | None) -> Outcome[StockBookClosed]:
    """Inventory gave everything back."""
    match order:
        case Order(status=Status.CANCELLED, stock=StockBook.OPEN):
            return _close_stock(order, StockBook.RELEASED)
        case Order(status=Status.CANCELLED):
            return ignore("the stock is released already")
        case _:
            raise ImpossibleError("stock released for an order that is not cancelled")


@reactions.on(PaymentVoided)
def close_voided(voided: PaymentVoided, order: Order | None) -> Outcome[MoneyBookClosed]:
    """Nothing was captured, and nothing ever can be."""
    return _close_money(order, MoneyBook.VOIDED)


@reactions.on(PaymentRefunded)
def close_refunded(refunded: PaymentRefunded, order: Order | None) -> Outcome[MoneyBookClosed]:
    """What was captured is given back."""
    return _close_money(order, MoneyBook.REFUNDED)


def _close_stock(order: Order, closing: StockBook) -> Advanced[StockBookClosed]:
    return advance(replace(order, stock=closing), StockBookClosed(order_id=order.order_id, closing=closing))


def _close_money(order: Order | None, closing: MoneyBook) -> Outcome[MoneyBookClosed]:
    match order:
        case Order(status=Status.CANCELLED, money=MoneyBook.OPEN):
            closed = MoneyBookClosed(order_id=order.order_id, closing=closing)
            return advance(replace(order, money=closing), closed)
        case Order(status=Status.CANCELLED):
            return ignore("the money is undone already")
        case _:
            raise ImpossibleError(f"money {closing} for an order that is not cancelled")
