"""What inventory never does with the stock of few SKUs, whatever many orders want in whatever order."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.inventory.events import ReceiptRequested
from services.inventory.reactions import reactions
from services.inventory.state import Committed, Held, Level, Released
from services.inventory.store import StockBook, to_row
from shared.batch import Raised
from shared.envelope import Envelope
from shared.event import Event
from shared.outcome import Advanced, Ignored
from shared.vocabulary.inventory import StockCommitted, StockLine, StockReleased, StockReserved
from shared.vocabulary.money import Money
from shared.vocabulary.order import CancelReason, OrderCancelled, OrderConfirmed, OrderLine, OrderPlaced
from tests.unit.services.schema import Schema
from tests.unit.services.stage import Stage, batches, envelope, histories, stock_book
from tests.unit.shared.generated import MANY, SOME

SCHEMA = Schema("inventory")
SKUS = ("mug", "pen", "cup")
ORDERS = tuple(UUID(int=number) for number in range(1, 5))


def events_of(order_id: UUID, quantities: dict[str, int]) -> tuple[Event, ...]:
    """Give all that inventory may hear of an order."""
    lines = tuple(OrderLine(sku=sku, quantity=quantity, unit_price=1) for sku, quantity in quantities.items())
    total = Money(amount=sum(quantities.values()), currency="EUR")
    return (
        OrderPlaced(order_id=order_id, customer_id="anna", lines=lines, total=total, payment_token="tok"),
        OrderConfirmed(order_id=order_id, email="anna@example.com"),
        OrderCancelled(order_id=order_id, reason=CancelReason.CUSTOMER_REQUEST, email="anna@example.com"),
    )


@st.composite
def lives(draw: st.DrawFn) -> list[list[Envelope]]:
    """Draw what arrives and what the orders want; let it come roughly in order, in batches, once or many times."""
    receipts = draw(st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 6)), min_size=2, max_size=5))
    arrive: list[Event] = [
        ReceiptRequested(receipt_id=UUID(int=100 + number), sku=sku, quantity=quantity)
        for number, (sku, quantity) in enumerate(receipts)
    ]
    wanted = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1)
    orders = [events_of(order_id, draw(wanted)) for order_id in ORDERS]
    placed, confirmed, cancelled = zip(*orders, strict=True)
    everything = [*arrive, *placed, *confirmed, *cancelled]
    return draw(batches(histories([everything, [*arrive, *chain.from_iterable(orders)]], everything)))


def totals(lines: Iterable[StockLine]) -> Counter[str]:
    """Add lines up by SKU."""
    total: Counter[str] = Counter()
    for line in lines:
        total[line.sku] += line.quantity
    return total


def shelves(book: StockBook) -> dict[str, Level]:
    return {sku: versioned.state.level for sku, versioned in book.shelves.items()}


def check_levels(book: StockBook) -> None:
    """Hold the shelves against the reservations."""
    states = [versioned.state for versioned in book.reservations.values()]
    held = totals(line for state in states if isinstance(state, Held) for line in state.lines)
    sold = totals(line for state in states if isinstance(state, Committed) for line in state.lines)
    for sku, level in shelves(book).items():
        assert min(level.available, level.reserved, level.sold) >= 0
        assert level.received == level.available + level.reserved + level.sold
        assert (level.reserved, level.sold) == (held[sku], sold[sku])


@MANY
@given(lives())
def test_levels(history: list[list[Envelope]]) -> None:
    """No level is ever negative, each adds up, and what is held and sold is what the reservations say."""
    book = stock_book()
    stage = Stage(reactions, book)
    for batch in history:
        for each in batch:
            stage.play(each)
            check_levels(book)
    assert stage.gapless()
    for order_id, versioned in book.reservations.items():
        row = {"order_id": str(order_id), "version": versioned.version, **to_row(versioned.state)}
        assert SCHEMA.refuses("reservations", row) is None


@SOME
@given(lives())
def test_batches_change_nothing(history: list[list[Envelope]]) -> None:
    """A batch leads where its events lead one by one; a second copy in it shares the fate of the first."""
    together, alone = stock_book(), stock_book()
    in_batches, one_by_one = Stage(reactions, together), Stage(reactions, alone)
    for batch in history:
        in_batches.play(*batch)
        check_levels(together)
    for batch in history:
        for each in {each.event_id: each for each in batch}.values():
            one_by_one.play(each)
    assert [entry.logged for entry in in_batches.log] == [entry.logged for entry in one_by_one.log]
    assert shelves(together) == shelves(alone)


@MANY
@given(lives())
def test_release(history: list[list[Envelope]]) -> None:
    """Each cancellation is answered once, with exactly what was held; and nothing is held for the order ever again."""
    stage = Stage(reactions, stock_book())
    for batch in history:
        for each in batch:
            before = stage.state(each.event)
            (result,), _ = stage.play(each)
            if isinstance(each.event, OrderCancelled) and isinstance(result, Advanced):
                (released,) = result.events
                assert isinstance(released, StockReleased)
                assert released.lines == getattr(before.reservation, "lines", ())
                assert released.restocked is isinstance(before.reservation, Committed)
            if isinstance(before.reservation, Released) and not isinstance(each.event, ReceiptRequested):
                assert not isinstance(result, Advanced | Raised)
    answers = Counter(event.order_id for event in stage.events if isinstance(event, StockReleased))
    cancelled = {each.event.order_id for b in history for each in b if isinstance(each.event, OrderCancelled)}
    assert answers == Counter(cancelled)


@SOME
@given(lives())
def test_order_of_life(history: list[list[Envelope]]) -> None:
    """An order's stock is reserved at most once, committed only if it was reserved, and released last."""
    stage = Stage(reactions, stock_book())
    for batch in history:
        stage.play(*batch)
    for order_id in ORDERS:
        life = [type(event) for event in stage.events if getattr(event, "order_id", None) == order_id]
        moves: Sequence[type[Event]] = [each for each in life if each in (StockReserved, StockCommitted, StockReleased)]
        assert tuple(moves) in {
            (),
            (StockReserved,),
            (StockReserved, StockCommitted),
            (StockReserved, StockCommitted, StockReleased),
            (StockReserved, StockReleased),
            (StockReleased,),
        }


def test_tombstone() -> None:
    """A cancellation that overtakes the order has it refused when it comes."""
    placed, _, cancelled = events_of(ORDERS[0], {"mug": 1})
    stage = Stage(reactions, stock_book())
    stage.play(envelope(ReceiptRequested(receipt_id=UUID(int=9), sku="mug", quantity=5)))
    stage.play(envelope(cancelled))
    (result,), _ = stage.play(envelope(placed))
    assert result == Ignored("the order was cancelled first")
    assert stage.state(placed).stock["mug"] == Level(5, 5, 0, 0)


def test_the_last_one() -> None:
    """Of two orders in one batch that want the last piece, one gets it."""
    stage = Stage(reactions, stock_book())
    stage.play(envelope(ReceiptRequested(receipt_id=UUID(int=9), sku="mug", quantity=1)))
    stage.play(*(envelope(events_of(order_id, {"mug": 1})[0]) for order_id in ORDERS[:2]))
    assert [event.kind.name for event in stage.events] == ["stock.received", "stock.reserved", "stock.rejected"]
