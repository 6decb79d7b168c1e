"""One order, as every service knows it: its events, and the states that they lead to."""

from datetime import UTC, datetime
from uuid import UUID

from services.inventory.events import ReceiptRequested
from services.inventory.state import Committed, Held, Holding, Level, Rejected, Released
from services.notification.events import Mail, MailAccepted, MailRefused
from services.notification.state import Correspondence, Progress
from services.order.events import CancellationRequested, DeadlinePassed, MoneyBook, PlacementRequested, StockBook
from services.order.state import Order, Status
from services.payment.events import ChargeAnswered, ChargeResult, UndoAnswered, UndoResult
from services.payment.state import AwaitingOrder, AwaitingStock, Captured, Charging, Closed, Declined, Undoing
from shared.vocabulary.inventory import (
    RejectReason,
    StockCommitted,
    StockLine,
    StockRejected,
    StockReleased,
    StockReserved,
)
from shared.vocabulary.money import Money
from shared.vocabulary.order import CancelReason, OrderCancelled, OrderConfirmed, OrderLine, OrderPlaced
from shared.vocabulary.payment import DeclineReason, PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided

ORDER = UUID("0190d1a5-0000-7000-8000-000000000001")
RECEIPT = UUID("0190d1a5-0000-7000-8000-000000000002")
EMAIL = "anna@example.com"
TOKEN = "tok_approved"
DEADLINE_S = 60.0
PRICE = Money(amount=2_500, currency="EUR")
ORDER_LINES = (OrderLine(sku="mug", quantity=2, unit_price=1_000), OrderLine(sku="pen", quantity=1, unit_price=500))
LINES = (StockLine(sku="mug", quantity=2), StockLine(sku="pen", quantity=1))

# The events.

PLACEMENT = PlacementRequested(
    order_id=ORDER,
    customer_id="anna",
    email=EMAIL,
    lines=ORDER_LINES,
    total=PRICE,
    payment_token=TOKEN,
    placed_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    deadline_s=DEADLINE_S,
)
CANCELLATION = CancellationRequested(order_id=ORDER)
DEADLINE_PASSED = DeadlinePassed(order_id=ORDER)
PLACED = OrderPlaced(order_id=ORDER, customer_id="anna", lines=ORDER_LINES, total=PRICE, payment_token=TOKEN)
CONFIRMED = OrderConfirmed(order_id=ORDER, email=EMAIL)

STOCK_RESERVED = StockReserved(order_id=ORDER, lines=LINES)
STOCK_REJECTED = StockRejected(order_id=ORDER, reason=RejectReason.INSUFFICIENT_STOCK, missing=("mug",))
STOCK_COMMITTED = StockCommitted(order_id=ORDER, lines=LINES)
STOCK_RELEASED = StockReleased(order_id=ORDER, lines=LINES, restocked=False)
RECEIPT_REQUESTED = ReceiptRequested(receipt_id=RECEIPT, sku="mug", quantity=3)

PAYMENT_CAPTURED = PaymentCaptured(order_id=ORDER, money=PRICE, charge_id="ch_1")
PAYMENT_DECLINED = PaymentDeclined(order_id=ORDER, reason=DeclineReason.CARD_DECLINED)
PAYMENT_VOIDED = PaymentVoided(order_id=ORDER)
PAYMENT_REFUNDED = PaymentRefunded(order_id=ORDER, money=PRICE, undo_id="un_1")


def cancelled(reason: CancelReason = CancelReason.CUSTOMER_REQUEST) -> OrderCancelled:
    """Give the one trigger of compensation."""
    return OrderCancelled(order_id=ORDER, reason=reason, email=EMAIL)


def charge_answered(result: ChargeResult) -> ChargeAnswered:
    """Give what the provider said to a charge."""
    charge_id = "" if result in (ChargeResult.SILENT, ChargeResult.INVALID_CHARGE) else "ch_1"
    return ChargeAnswered(order_id=ORDER, result=result, charge_id=charge_id)


def undo_answered(result: UndoResult) -> UndoAnswered:
    """Give what the provider did to close the key."""
    return UndoAnswered(order_id=ORDER, result=result, undo_id="un_1")


def accepted(mail: Mail) -> MailAccepted:
    """Give the mail server's word that it took a mail."""
    return MailAccepted(order_id=ORDER, mail=mail)


def refused(mail: Mail) -> MailRefused:
    """Give the mail server's word that it never will."""
    return MailRefused(order_id=ORDER, mail=mail)


# The states of order.


def an_order(
    status: Status,
    stock: StockBook = StockBook.OPEN,
    money: MoneyBook = MoneyBook.OPEN,
    reason: CancelReason | None = None,
) -> Order:
    """Give the order; a cancelled one by its customer, unless another reason is named."""
    if status is Status.CANCELLED:
        reason = reason or CancelReason.CUSTOMER_REQUEST
    return Order(ORDER, "anna", EMAIL, ORDER_LINES, PRICE, PLACEMENT.placed_at, status, reason, stock, money)


PENDING = an_order(Status.PENDING)
STANDING = an_order(Status.CONFIRMED)
SOLD = an_order(Status.CONFIRMED, StockBook.COMMITTED)
DEAD = an_order(Status.CANCELLED)


def dead(
    stock: StockBook = StockBook.OPEN, money: MoneyBook = MoneyBook.OPEN, reason: CancelReason | None = None
) -> Order:
    """Give the cancelled order with its books."""
    return an_order(Status.CANCELLED, stock, money, reason)


# The states of inventory: ten mugs and ten pens came in.


def shelves(available: int = 0, reserved: int = 0, sold: int = 0) -> dict[str, Level]:
    """Give the two levels in lots of two mugs and one pen; the rest of the ten is gone to others."""
    others_mugs, others_pens = 10 - 2 * (available + reserved + sold), 10 - (available + reserved + sold)
    return {
        "mug": Level(10, 2 * available, 2 * reserved, 2 * sold + others_mugs),
        "pen": Level(10, available, reserved, sold + others_pens),
    }


FREE = Holding(None, shelves(available=1))
SHORT = Holding(None, {"mug": Level(10, 1, 0, 9), "pen": Level(10, 1, 0, 9)})
HELD = Holding(Held(ORDER, LINES), shelves(reserved=1))
COMMITTED = Holding(Committed(ORDER, LINES), shelves(sold=1))
REJECTED = Holding(Rejected(ORDER), SHORT.stock)
RELEASED = Holding(Released(ORDER), shelves(available=1))

# The states of payment.

AWAITING_STOCK = AwaitingStock(ORDER, PRICE, TOKEN)
AWAITING_ORDER = AwaitingOrder(ORDER)
CHARGING = Charging(ORDER, PRICE)
CAPTURED = Captured(ORDER, PRICE, "ch_1")
DECLINED = Declined(ORDER, PRICE, DeclineReason.CARD_DECLINED)
UNDOING = Undoing(ORDER, PRICE)
TOMBSTONE = Closed(ORDER, UndoResult.VOIDED, None, None)
VOIDED = Closed(ORDER, UndoResult.VOIDED, None, "un_1")
REFUNDED = Closed(ORDER, UndoResult.REFUNDED, PRICE, "un_1")

# The states of notification.


def told(
    confirmed: Progress = Progress.NONE,
    cancelled: Progress = Progress.NONE,  # the mail, not the event
    reason: CancelReason | None = None,
) -> Correspondence:
    """Give what the customer was told."""
    why = None if cancelled is Progress.NONE else (reason or CancelReason.CUSTOMER_REQUEST).value
    return Correspondence(ORDER, EMAIL, confirmed, cancelled, why)
