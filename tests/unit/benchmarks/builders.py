"""A run of three orders whose books agree, to be spoilt by tests one thing at a time."""

from dataclasses import replace

from benchmarks.load.audit import Account, Books, Ordered, Stock, Told
from benchmarks.load.cpu import OURSELVES, Shares
from benchmarks.load.kinds import KINDS
from benchmarks.load.verdict import Run

CONFIRMED, DECLINED, _, _, RETURNED = KINDS
TOLD = Told({"a": CONFIRMED, "b": DECLINED, "c": RETURNED}, unanswered=0)
BEFORE = {"bow": Stock(received=10, available=7, reserved=0, sold=3)}
RECEIVED = {"bow": 5}
AFTER = Books(
    orders={
        "a": Ordered("confirmed", None, settled=True, total=900, quantities={"bow": 2}),
        "b": Ordered("cancelled", "payment_declined", settled=True, total=450, quantities={"bow": 1}),
        "c": Ordered("cancelled", "customer_request", settled=True, total=450, quantities={"bow": 1}),
    },
    stock={"bow": Stock(received=15, available=10, reserved=0, sold=5)},
    money={"a": Account(900, 0), "b": Account(), "c": Account(450, 450)},
)
RUN = Run(
    rate=100,
    seconds=10,
    seed=1,
    planned=1000,
    placed=1000,
    settled=1000,
    held_up=0,
    not_begun=0,
    in_flight_at_the_end=5,
    stopped=False,
    arriving_s=10,
    settled_per_s=99.5,
    began_late=None,
    kinds={"all": None},
    requests={},
    answers={},
    given_up={},
    shares=Shares({"order": 0.6, OURSELVES: 0.2}, elsewhere=0.1, cores=2),
    off=(),
)


def with_order(order_id: str, **changes: object) -> Books:
    """Give the books with one order changed."""
    order = replace(AFTER.orders[order_id], **changes)  # type: ignore[arg-type]  # any field of an order
    return replace(AFTER, orders={**AFTER.orders, order_id: order})


def with_money(key: str, captured: int, refunded: int) -> Books:
    """Give the books with one account changed or added."""
    return replace(AFTER, money={**AFTER.money, key: Account(captured, refunded)})


def with_stock(**changes: int) -> Books:
    """Give the books with the stock of bows changed."""
    return replace(AFTER, stock={"bow": replace(AFTER.stock["bow"], **changes)})
