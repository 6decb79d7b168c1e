"""What inventory does, case by case."""

import pytest

from services.inventory.events import StockReceived
from services.inventory.reactions import reactions
from services.inventory.state import Held, Holding, Level, Rejected, Released
from shared.outcome import Advanced, ImpossibleError, advance, ignore
from shared.vocabulary.inventory import RejectReason, StockRejected, StockReleased
from shared.vocabulary.money import Money
from shared.vocabulary.order import OrderLine, OrderPlaced
from tests.unit.services.builders import (
    COMMITTED,
    CONFIRMED,
    FREE,
    HELD,
    LINES,
    ORDER,
    PLACED,
    RECEIPT,
    RECEIPT_REQUESTED,
    REJECTED,
    RELEASED,
    SHORT,
    STOCK_COMMITTED,
    STOCK_RELEASED,
    STOCK_RESERVED,
    cancelled,
    shelves,
)
from tests.unit.services.cases import Case

NOTHING_RELEASED = StockReleased(order_id=ORDER, lines=(), restocked=False)
RESTOCKED = StockReleased(order_id=ORDER, lines=LINES, restocked=True)
RECEIVED = StockReceived(receipt_id=RECEIPT, sku="mug", quantity=3)
NO_PENS = Holding(None, {"mug": Level(10, 10, 0, 0)})
NOTHING = Holding()
NEVER_HELD = ImpossibleError("a confirmation of an order whose stock was never held")


def rejected(*missing: str) -> StockRejected:
    return StockRejected(order_id=ORDER, reason=RejectReason.INSUFFICIENT_STOCK, missing=missing)


CASES = [
    # Holding: all lines, or none.
    Case("everything is held", FREE, PLACED, advance(HELD, STOCK_RESERVED)),
    Case("one line is short, so none is held", SHORT, PLACED, advance(REJECTED, rejected("mug"))),
    Case(
        "a SKU never heard of is short",
        NO_PENS,
        PLACED,
        advance(Holding(Rejected(ORDER), NO_PENS.stock), rejected("pen")),
    ),
    Case("every short line is named", NOTHING, PLACED, advance(Holding(Rejected(ORDER)), rejected("mug", "pen"))),
    Case("held before", HELD, PLACED, ignore("it was decided before")),
    Case("sold before", COMMITTED, PLACED, ignore("it was decided before")),
    Case("rejected before, though now there is enough", Holding(Rejected(ORDER), FREE.stock), PLACED,
         ignore("it was decided before")),
    Case("the tombstone refuses it", RELEASED, PLACED, ignore("the order was cancelled first")),
    # Selling.
    Case("what is held is sold", HELD, CONFIRMED, advance(COMMITTED, STOCK_COMMITTED)),
    Case("sold already", COMMITTED, CONFIRMED, ignore("it is sold already")),
    Case("cancelled meanwhile", RELEASED, CONFIRMED, ignore("the order was cancelled after it was confirmed")),
    Case("a confirmation without stock", REJECTED, CONFIRMED, NEVER_HELD),
    Case("a confirmation out of nothing", FREE, CONFIRMED, NEVER_HELD),
    # Letting go: each cancellation is answered once.
    Case("what is held is let go", HELD, cancelled(), advance(RELEASED, STOCK_RELEASED)),
    Case("what is sold is restocked", COMMITTED, cancelled(), advance(RELEASED, RESTOCKED)),
    Case(
        "what was rejected is closed with nothing to give back",
        REJECTED,
        cancelled(),
        advance(Holding(Released(ORDER), SHORT.stock), NOTHING_RELEASED),
    ),
    Case(
        "a cancellation that comes first leaves a tombstone",
        NOTHING,
        cancelled(),
        advance(Holding(Released(ORDER)), NOTHING_RELEASED),
    ),
    Case("released already", RELEASED, cancelled(), ignore("it is released already")),
    # Goods that arrive.
    Case(
        "goods arrive",
        Holding(None, {"mug": Level(10, 4, 5, 1)}),
        RECEIPT_REQUESTED,
        advance(Holding(None, {"mug": Level(13, 7, 5, 1)}), RECEIVED),
    ),
    Case(
        "goods arrive for the first time",
        NOTHING,
        RECEIPT_REQUESTED,
        advance(Holding(None, {"mug": Level(3, 3, 0, 0)}), RECEIVED),
    ),
    Case(
        "goods arrive, and what is held stays held",
        HELD,
        RECEIPT_REQUESTED,
        advance(Holding(HELD.reservation, {**HELD.stock, "mug": HELD.level("mug").receive(3)}), RECEIVED),
    ),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    """Each event leads in each state to just what its row says."""
    case.check(reactions)


def test_every_reaction_has_a_case() -> None:
    """No row of the service's table is without one here."""
    assert {type(case.event) for case in CASES} == {row.event for row in reactions}


def test_exactly_enough_is_enough() -> None:
    """The last goods on the shelf can be held, and not one more."""
    line = LINES[:1]
    assert Holding(None, {"mug": Level(2, 2, 0, 0)}).missing(line) == ()
    assert Holding(None, {"mug": Level(2, 1, 1, 0)}).missing(line) == ("mug",)


def test_letting_go_undoes_holding() -> None:
    """A hold and its undoing leave the shelves as they were; so do a sale and its undoing."""
    held = FREE.held(ORDER, LINES)
    assert held.released(ORDER).stock == FREE.stock
    assert isinstance(held.reservation, Held)
    assert held.committed(held.reservation).released(ORDER).stock == shelves(available=1)


def test_two_lines_of_one_sku_are_added_up() -> None:
    """Each line alone would find enough; together they do not."""
    lines = tuple(OrderLine(sku="mug", quantity=quantity, unit_price=1) for quantity in (3, 2))
    total = Money(amount=5, currency="EUR")
    placed = OrderPlaced(order_id=ORDER, customer_id="a", lines=lines, total=total, payment_token="t")
    scarce = reactions.react(placed, Holding(None, {"mug": Level(4, 4, 0, 0)}))
    enough = reactions.react(placed, Holding(None, {"mug": Level(5, 5, 0, 0)}))
    assert isinstance(scarce, Advanced)
    assert isinstance(enough, Advanced)
    assert isinstance(scarce.events[0], StockRejected)
    assert enough.state.stock["mug"] == Level(5, 0, 5, 0)
