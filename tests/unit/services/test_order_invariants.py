"""What order never does, whatever comes in whatever order, once or many times."""

from hypothesis import given

from services.order.events import Deadline, MoneyBook, MoneyBookClosed, StockBook, StockBookClosed
from services.order.reactions import reactions
from services.order.state import Order, Status
from services.order.store import to_row
from shared.envelope import Envelope
from shared.outcome import Advanced
from shared.vocabulary.order import OrderCancelled, OrderConfirmed, OrderPlaced
from tests.unit.services.builders import (
    CANCELLATION,
    DEADLINE_PASSED,
    ORDER,
    PAYMENT_CAPTURED,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
    PLACEMENT,
    STOCK_COMMITTED,
    STOCK_REJECTED,
    STOCK_RELEASED,
)
from tests.unit.services.representatives import ORDER as SERVICE
from tests.unit.services.schema import Schema
from tests.unit.services.stage import Stage, batches, envelope, histories, order_book
from tests.unit.shared.generated import MANY

SCHEMA = Schema("order")
LIVES = (
    [PLACEMENT, PAYMENT_CAPTURED, STOCK_COMMITTED],
    [PLACEMENT, PAYMENT_CAPTURED, STOCK_COMMITTED, CANCELLATION, STOCK_RELEASED, PAYMENT_REFUNDED],
    [PLACEMENT, STOCK_REJECTED, STOCK_RELEASED, PAYMENT_VOIDED],
    [PLACEMENT, DEADLINE_PASSED, PAYMENT_REFUNDED, STOCK_RELEASED],
)
HISTORIES = histories(LIVES, SERVICE.events.values())
PATHS: tuple[list[Status], ...] = (
    [],
    [Status.PENDING],
    [Status.PENDING, Status.CONFIRMED],
    [Status.PENDING, Status.CANCELLED],
    [Status.PENDING, Status.CONFIRMED, Status.CANCELLED],
)


@MANY
@given(HISTORIES)
def test_verdicts(history: list[Envelope]) -> None:
    """An order is placed once, and goes from pending to confirmed to cancelled, with or without the middle."""
    stage = Stage(reactions, order_book())
    path: list[Status] = []
    for each in history:
        stage.play(each)
        order: Order | None = stage.state(each.event)
        if order is not None and path[-1:] != [order.status]:
            path.append(order.status)
        if order is not None:
            row = {"order_id": str(ORDER), "version": stage.book.position(each.event)[1], **to_row(order)}
            assert SCHEMA.refuses("orders", row) is None
    assert path in PATHS
    assert stage.gapless()
    assert stage.count(OrderPlaced) == path.count(Status.PENDING)
    assert stage.count(OrderConfirmed) == path.count(Status.CONFIRMED)
    assert stage.count(OrderCancelled) == path.count(Status.CANCELLED)


@MANY
@given(HISTORIES)
def test_books(history: list[Envelope]) -> None:
    """Books close once for each verdict; settled says that all are closed, and only a cancellation opens them again."""
    stage = Stage(reactions, order_book())
    settled_as: list[Status] = []
    for each in history:
        before: Order | None = stage.state(each.event)
        (result,), _ = stage.play(each)
        order: Order | None = stage.state(each.event)
        if order is None:
            continue
        if order.settled and not (before and before.settled):
            settled_as.append(order.status)
        if before and before.settled and not order.settled:
            assert (before.status, order.status) == (Status.CONFIRMED, Status.CANCELLED)
        if not isinstance(result, Advanced):
            assert order == before
        if order.settled and order.status is Status.CANCELLED:
            assert order.stock is StockBook.RELEASED
            assert order.money is not MoneyBook.OPEN
    assert settled_as in ([], [Status.CONFIRMED], [Status.CANCELLED], [Status.CONFIRMED, Status.CANCELLED])
    cancellations = stage.count(OrderCancelled)
    assert stage.count(MoneyBookClosed) <= cancellations
    closings = [event.closing for event in stage.events if isinstance(event, StockBookClosed)]
    assert closings.count(StockBook.COMMITTED) <= stage.count(OrderConfirmed)
    assert closings.count(StockBook.RELEASED) <= cancellations


@MANY
@given(batches(HISTORIES))
def test_deadline(history: list[list[Envelope]]) -> None:
    """The deadline waits just while the order is pending, however its events fall into batches."""
    stage = Stage(reactions, order_book())
    waiting: set[str] = set()
    for batch in ([envelope(PLACEMENT)], *history):
        _, record = stage.play(*batch)
        waiting -= {kind for _, kind in record.withdrawn}
        waiting |= {kind for _, kind in record.intents}
        order: Order = stage.state(PLACEMENT)
        assert waiting == ({Deadline.kind} if order.status is Status.PENDING else set())
    assert stage.count(Deadline) == 1
