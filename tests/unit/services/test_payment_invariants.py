"""What payment never does with an order's money, whatever comes in whatever order, once or many times."""

from hypothesis import given
from hypothesis import strategies as st

from services.payment.events import Charge, ChargeAnswered, ChargeIntended, ChargeResult, Undo, UndoAnswered, UndoResult
from services.payment.reactions import reactions
from services.payment.state import Closed, Undoing
from services.payment.store import to_row
from shared.envelope import Envelope
from shared.outcome import Advanced, Ignored
from shared.vocabulary.order import OrderCancelled
from shared.vocabulary.payment import PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided
from tests.unit.services.builders import (
    CAPTURED,
    CHARGING,
    DECLINED,
    ORDER,
    PLACED,
    STOCK_RESERVED,
    cancelled,
    charge_answered,
    undo_answered,
)
from tests.unit.services.representatives import PAYMENT
from tests.unit.services.schema import Schema
from tests.unit.services.stage import Stage, batches, envelope, histories, order_book
from tests.unit.shared.generated import MANY

SCHEMA = Schema("payment")
CAUGHT, SILENT = charge_answered(ChargeResult.CAPTURED), charge_answered(ChargeResult.SILENT)
BACK, SHUT = undo_answered(UndoResult.REFUNDED), undo_answered(UndoResult.VOIDED)
LIVES = (
    [PLACED, STOCK_RESERVED, CAUGHT],
    [PLACED, STOCK_RESERVED, CAUGHT, cancelled(), BACK],
    [STOCK_RESERVED, PLACED, SILENT, cancelled(), SHUT],
    [PLACED, STOCK_RESERVED, cancelled(), CAUGHT, BACK],
    [PLACED, cancelled(), STOCK_RESERVED],
)
HISTORIES = histories(LIVES, PAYMENT.events.values())
CLOSING = (PaymentVoided, PaymentRefunded)


@MANY
@given(HISTORIES)
def test_once(history: list[Envelope]) -> None:
    """An order is charged at most once, undone at most once, answered at most once each way."""
    stage = Stage(reactions, order_book())
    for each in history:
        stage.play(each)
        payment = stage.state(each.event)
        if payment is not None:
            row = {"order_id": str(ORDER), "version": stage.book.position(each.event)[1], **to_row(payment)}
            assert SCHEMA.refuses("payments", row) is None
    assert stage.count(Charge) == stage.count(ChargeIntended) <= 1
    assert stage.count(Undo) <= stage.count(Charge)
    assert stage.count(PaymentCaptured, PaymentDeclined) <= stage.count(Charge)
    assert stage.count(*CLOSING) <= 1
    assert stage.gapless()


@MANY
@given(HISTORIES, st.sampled_from(UndoResult))
def test_one_closing(history: list[Envelope], result: UndoResult) -> None:
    """A cancellation is answered by exactly one closing event, whenever it comes, once the provider has answered."""
    stage = Stage(reactions, order_book())
    for each in (*history, envelope(cancelled(), 3)):
        stage.play(each)
    if stage.count(Undo) and not stage.count(*CLOSING):
        stage.play(envelope(undo_answered(result), 3))
    assert stage.count(*CLOSING) == 1
    assert isinstance(stage.state(cancelled()), Closed)


@MANY
@given(HISTORIES)
def test_undo_follows_charge(history: list[Envelope]) -> None:
    """Once a charge was intended, the cancellation undoes it, only the undo's answer closes, and no other counts."""
    stage = Stage(reactions, order_book())
    is_cancelled = False
    for each in history:
        before, charged_before = stage.state(each.event), stage.count(Charge) > 0
        (result,), _ = stage.play(each)
        is_cancelled = is_cancelled or isinstance(each.event, OrderCancelled)
        if is_cancelled and stage.count(Charge):
            assert stage.count(Undo) == 1
        if is_cancelled and not charged_before:
            assert stage.count(Charge) == 0
        if isinstance(each.event, ChargeAnswered) and isinstance(before, Undoing | Closed):
            assert stage.state(each.event) == before
        closes = isinstance(result, Advanced) and isinstance(result.events[0], CLOSING)
        if closes:
            assert isinstance(each.event, UndoAnswered) is charged_before
    assert stage.count(PaymentRefunded) <= stage.count(Undo)


@MANY
@given(batches(HISTORIES))
def test_waiting_intents(history: list[list[Envelope]]) -> None:
    """However the events fall into batches, no charge waits any more once the order is cancelled."""
    stage = Stage(reactions, order_book())
    waiting: set[str] = set()
    for batch in history:
        _, record = stage.play(*batch)
        waiting -= {kind for _, kind in record.withdrawn}
        waiting |= {kind for _, kind in record.intents}
        if isinstance(stage.state(cancelled()), Undoing | Closed):
            assert Charge.kind not in waiting
        assert (Undo.kind in waiting) is (stage.count(Undo) == 1)


def test_nothing_is_charged_twice_by_design() -> None:
    """No state after the charge was intended leads back to one."""
    for state in (CHARGING, CAPTURED, DECLINED):
        for event in PAYMENT.events.values():
            if isinstance(event, ChargeAnswered | UndoAnswered):
                continue
            outcome = reactions.react(event, state)
            assert isinstance(outcome, Ignored) or not any(isinstance(each, Charge) for each in outcome.intents)
