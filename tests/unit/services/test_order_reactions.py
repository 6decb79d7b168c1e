"""What order does, case by case."""

from dataclasses import replace

import pytest

from services.order.events import Deadline, MoneyBook, MoneyBookClosed, StockBook, StockBookClosed
from services.order.reactions import reactions
from services.order.state import Order
from shared.outcome import ImpossibleError, advance, ignore
from shared.vocabulary.order import CancelReason
from tests.unit.services.builders import (
    CANCELLATION,
    CONFIRMED,
    DEAD,
    DEADLINE_PASSED,
    DEADLINE_S,
    ORDER,
    PAYMENT_CAPTURED,
    PAYMENT_DECLINED,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
    PENDING,
    PLACED,
    PLACEMENT,
    SOLD,
    STANDING,
    STOCK_COMMITTED,
    STOCK_REJECTED,
    STOCK_RELEASED,
    cancelled,
    dead,
)
from tests.unit.services.cases import Case

NO_STOCK, NO_MONEY = CancelReason.OUT_OF_STOCK, CancelReason.PAYMENT_DECLINED
BY_CUSTOMER, TOO_LATE = CancelReason.CUSTOMER_REQUEST, CancelReason.DEADLINE_PASSED
SALE_NOTED = StockBookClosed(order_id=ORDER, closing=StockBook.COMMITTED)
RELEASE_NOTED = StockBookClosed(order_id=ORDER, closing=StockBook.RELEASED)
VOID_NOTED = MoneyBookClosed(order_id=ORDER, closing=MoneyBook.VOIDED)
REFUND_NOTED = MoneyBookClosed(order_id=ORDER, closing=MoneyBook.REFUNDED)
RELEASED = dead(StockBook.RELEASED)
VOIDED = dead(money=MoneyBook.VOIDED)
SETTLED = dead(StockBook.RELEASED, MoneyBook.REFUNDED)
DEADLINE = Deadline(order_id=ORDER, after_s=DEADLINE_S)
CANCELLED_BEFORE = ignore("cancelled already")
UNPLACED = ImpossibleError("a payment for an order that was never placed")
REJECTED_LATE = ImpossibleError("out_of_stock for an order that is confirmed, or was never placed")
DECLINED_LATE = ImpossibleError("payment_declined for an order that is confirmed, or was never placed")
NO_DEADLINE = ImpossibleError("the deadline of an order that was never placed")
UNSOLD = ImpossibleError("stock committed for an order that is not confirmed")
UNRELEASED = ImpossibleError("stock released for an order that is not cancelled")
UNVOIDED = ImpossibleError("money voided for an order that is not cancelled")
UNREFUNDED = ImpossibleError("money refunded for an order that is not cancelled")

CASES = [
    # The placement, which sets the deadline.
    Case("a new order is placed", None, PLACEMENT, advance(PENDING, PLACED, DEADLINE)),
    Case("a pending one was placed", PENDING, PLACEMENT, ignore("placed already")),
    Case("a cancelled one was placed", DEAD, PLACEMENT, ignore("placed already")),
    # The money is there: confirmed, and the deadline ends.
    Case("money confirms", PENDING, PAYMENT_CAPTURED, advance(STANDING, CONFIRMED, withdraw=(Deadline,))),
    Case("money again", STANDING, PAYMENT_CAPTURED, ignore("confirmed already")),
    Case("money again after the sale", SOLD, PAYMENT_CAPTURED, ignore("confirmed already")),
    Case("money too late", DEAD, PAYMENT_CAPTURED, ignore("cancelled already: payment undoes it on order.cancelled")),
    Case("money of nobody", None, PAYMENT_CAPTURED, UNPLACED),
    # No stock.
    Case(
        "no stock cancels",
        PENDING,
        STOCK_REJECTED,
        advance(dead(reason=NO_STOCK), cancelled(NO_STOCK), withdraw=(Deadline,)),
    ),
    Case("no stock, too late", DEAD, STOCK_REJECTED, CANCELLED_BEFORE),
    Case("no stock after confirmation", STANDING, STOCK_REJECTED, REJECTED_LATE),
    Case("no stock for nobody", None, STOCK_REJECTED, REJECTED_LATE),
    # No money.
    Case(
        "no money cancels",
        PENDING,
        PAYMENT_DECLINED,
        advance(dead(reason=NO_MONEY), cancelled(NO_MONEY), withdraw=(Deadline,)),
    ),
    Case("no money, too late", SETTLED, PAYMENT_DECLINED, CANCELLED_BEFORE),
    Case("no money after confirmation", SOLD, PAYMENT_DECLINED, DECLINED_LATE),
    Case("no money of nobody", None, PAYMENT_DECLINED, DECLINED_LATE),
    # The deadline.
    Case(
        "the deadline cancels",
        PENDING,
        DEADLINE_PASSED,
        advance(dead(reason=TOO_LATE), cancelled(TOO_LATE), withdraw=(Deadline,)),
    ),
    Case("the deadline after the verdict", STANDING, DEADLINE_PASSED, ignore("the verdict came in time")),
    Case("the deadline after a cancellation", DEAD, DEADLINE_PASSED, ignore("the verdict came in time")),
    Case("the deadline of nobody", None, DEADLINE_PASSED, NO_DEADLINE),
    # The customer.
    Case(
        "a customer cancels what is pending",
        PENDING,
        CANCELLATION,
        advance(dead(reason=BY_CUSTOMER), cancelled(BY_CUSTOMER), withdraw=(Deadline,)),
    ),
    Case(
        "a customer cancels what is confirmed",
        STANDING,
        CANCELLATION,
        advance(dead(reason=BY_CUSTOMER), cancelled(BY_CUSTOMER), withdraw=(Deadline,)),
    ),
    Case(
        "a customer cancels what is sold, and its books are open again",
        SOLD,
        CANCELLATION,
        advance(dead(reason=BY_CUSTOMER), cancelled(BY_CUSTOMER), withdraw=(Deadline,)),
    ),
    Case("a customer cancels twice", DEAD, CANCELLATION, CANCELLED_BEFORE),
    Case("a customer cancels what is not there", None, CANCELLATION, ignore("no such order")),
    # The stock book.
    Case("the sale closes the stock book", STANDING, STOCK_COMMITTED, advance(SOLD, SALE_NOTED)),
    Case("the sale again", SOLD, STOCK_COMMITTED, ignore("the stock is committed already")),
    Case(
        "a late sale never settles a cancelled order",
        DEAD,
        STOCK_COMMITTED,
        ignore("cancelled meanwhile: the release closes the book"),
    ),
    Case("a sale before the verdict", PENDING, STOCK_COMMITTED, UNSOLD),
    Case("a sale to nobody", None, STOCK_COMMITTED, UNSOLD),
    Case("the release closes the stock book", DEAD, STOCK_RELEASED, advance(RELEASED, RELEASE_NOTED)),
    Case(
        "the release comes after the money",
        VOIDED,
        STOCK_RELEASED,
        advance(dead(StockBook.RELEASED, MoneyBook.VOIDED), RELEASE_NOTED),
    ),
    Case("the release again", RELEASED, STOCK_RELEASED, ignore("the stock is released already")),
    Case("a release of what stands", STANDING, STOCK_RELEASED, UNRELEASED),
    Case("a release of what is pending", PENDING, STOCK_RELEASED, UNRELEASED),
    Case("a release for nobody", None, STOCK_RELEASED, UNRELEASED),
    # The money book.
    Case("the void closes the money book", DEAD, PAYMENT_VOIDED, advance(VOIDED, VOID_NOTED)),
    Case(
        "the void comes after the stock",
        RELEASED,
        PAYMENT_VOIDED,
        advance(dead(StockBook.RELEASED, MoneyBook.VOIDED), VOID_NOTED),
    ),
    Case("the void again", VOIDED, PAYMENT_VOIDED, ignore("the money is undone already")),
    Case("a void of what stands", SOLD, PAYMENT_VOIDED, UNVOIDED),
    Case("a void for nobody", None, PAYMENT_VOIDED, UNVOIDED),
    Case("the refund settles", RELEASED, PAYMENT_REFUNDED, advance(SETTLED, REFUND_NOTED)),
    Case("the refund after a void", VOIDED, PAYMENT_REFUNDED, ignore("the money is undone already")),
    Case("a refund of what stands", STANDING, PAYMENT_REFUNDED, UNREFUNDED),
    Case("a refund for nobody", None, PAYMENT_REFUNDED, UNREFUNDED),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    """Each event leads in each state to just what its row says."""
    case.check(reactions)


def test_every_reaction_has_a_case() -> None:
    """No row of the service's table is without one here."""
    assert {type(case.event) for case in CASES} == {row.event for row in reactions}


@pytest.mark.parametrize(
    ("order", "settled"),
    [
        (PENDING, False),
        (STANDING, False),
        (SOLD, True),
        (DEAD, False),
        (RELEASED, False),
        (VOIDED, False),
        (dead(money=MoneyBook.REFUNDED), False),
        (dead(StockBook.RELEASED, MoneyBook.VOIDED), True),
        (SETTLED, True),
        (replace(DEAD, stock=StockBook.COMMITTED, money=MoneyBook.VOIDED), False),
    ],
)
def test_settled(order: Order, settled: bool) -> None:
    """An order is settled once every book that its verdict needs is closed, each on the right side."""
    assert order.settled is settled
