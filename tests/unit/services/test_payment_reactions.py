"""What payment does, case by case."""

import pytest

from services.payment.events import (
    AmountLearned,
    Charge,
    ChargeIntended,
    ChargeResult,
    StockLearned,
    Undo,
    UndoIntended,
    UndoResult,
)
from services.payment.reactions import DECLINES, reactions
from services.payment.state import Declined
from shared.outcome import ImpossibleError, advance, ignore
from shared.vocabulary.payment import DeclineReason, PaymentDeclined
from tests.unit.services.builders import (
    AWAITING_ORDER,
    AWAITING_STOCK,
    CAPTURED,
    CHARGING,
    DECLINED,
    ORDER,
    PAYMENT_CAPTURED,
    PAYMENT_DECLINED,
    PAYMENT_REFUNDED,
    PAYMENT_VOIDED,
    PLACED,
    PRICE,
    REFUNDED,
    STOCK_RESERVED,
    TOKEN,
    TOMBSTONE,
    UNDOING,
    VOIDED,
    cancelled,
    charge_answered,
    undo_answered,
)
from tests.unit.services.cases import Case

OK, NO = charge_answered(ChargeResult.CAPTURED), charge_answered(ChargeResult.CARD_DECLINED)
BACK, SHUT = undo_answered(UndoResult.REFUNDED), undo_answered(UndoResult.VOIDED)
AMOUNT_LEARNED = AmountLearned(order_id=ORDER, money=PRICE)
CHARGE_INTENDED = ChargeIntended(order_id=ORDER, money=PRICE)
CHARGE = Charge(order_id=ORDER, money=PRICE, token=TOKEN)
SILENT = DeclineReason.PROVIDER_SILENT
UNDO_BEGINS = advance(UNDOING, UndoIntended(order_id=ORDER), Undo(order_id=ORDER), withdraw=(Charge,))
KNOWN, STOCK_KNOWN = ignore("the amount is known already"), ignore("the stock is known to be held already")
UNDO_DECIDES = ignore("the order is cancelled: the undo decides")
UNCHARGED = ImpossibleError("an answer to a charge that nobody intended")
NOT_UNDOING = ImpossibleError("an answer to an undo that nobody intended")

CASES = [
    # Both must be known before anybody is charged, and either may come first.
    Case("the amount is known first", None, PLACED, advance(AWAITING_STOCK, AMOUNT_LEARNED)),
    Case("the amount is known last", AWAITING_ORDER, PLACED, advance(CHARGING, CHARGE_INTENDED, CHARGE)),
    Case("the amount again", AWAITING_STOCK, PLACED, KNOWN),
    Case("the amount again while charging", CHARGING, PLACED, KNOWN),
    Case("the amount again while undoing", UNDOING, PLACED, KNOWN),
    Case("the tombstone", TOMBSTONE, PLACED, ignore("the order was cancelled before it was known here")),
    Case("the stock is held first", None, STOCK_RESERVED, advance(AWAITING_ORDER, StockLearned(order_id=ORDER))),
    Case("the stock is held last", AWAITING_STOCK, STOCK_RESERVED, advance(CHARGING, CHARGE_INTENDED, CHARGE)),
    Case("the stock again", AWAITING_ORDER, STOCK_RESERVED, STOCK_KNOWN),
    Case("the stock again after the capture", CAPTURED, STOCK_RESERVED, STOCK_KNOWN),
    Case("stock of a cancelled order", TOMBSTONE, STOCK_RESERVED, ignore("the order is cancelled")),
    Case("stock of an order that is undone", UNDOING, STOCK_RESERVED, ignore("the order is cancelled")),
    # The charge is answered.
    Case("captured", CHARGING, OK, advance(CAPTURED, PAYMENT_CAPTURED)),
    Case("declined", CHARGING, NO, advance(DECLINED, PAYMENT_DECLINED)),
    Case(
        "given up on",
        CHARGING,
        charge_answered(ChargeResult.SILENT),
        advance(Declined(ORDER, PRICE, SILENT), PaymentDeclined(order_id=ORDER, reason=SILENT)),
    ),
    Case("captured twice", CAPTURED, OK, ignore("captured already")),
    Case("declined after a capture", CAPTURED, NO, ignore("captured already")),
    Case(
        "captured after it was given up on",
        DECLINED,
        OK,
        ignore("declined already: the cancellation that follows undoes whatever became of the charge"),
    ),
    Case("captured while undoing", UNDOING, OK, UNDO_DECIDES),
    Case("captured after the undo", VOIDED, OK, UNDO_DECIDES),
    Case("an answer that nobody asked for", None, OK, UNCHARGED),
    Case("an answer before there was stock", AWAITING_STOCK, NO, UNCHARGED),
    # The order is cancelled: before a charge there is nothing to undo, from then on the provider is asked.
    Case("cancelled before anything", None, cancelled(), advance(TOMBSTONE, PAYMENT_VOIDED)),
    Case("cancelled before there was stock", AWAITING_STOCK, cancelled(), advance(TOMBSTONE, PAYMENT_VOIDED)),
    Case("cancelled before the order came", AWAITING_ORDER, cancelled(), advance(TOMBSTONE, PAYMENT_VOIDED)),
    Case("cancelled while charging", CHARGING, cancelled(), UNDO_BEGINS),
    Case("cancelled after the capture", CAPTURED, cancelled(), UNDO_BEGINS),
    Case("cancelled after a decline", DECLINED, cancelled(), UNDO_BEGINS),
    Case("cancelled twice", UNDOING, cancelled(), ignore("it is being undone already")),
    Case("cancelled again after the undo", REFUNDED, cancelled(), ignore("it is undone already")),
    # The provider has closed the key.
    Case("given back", UNDOING, BACK, advance(REFUNDED, PAYMENT_REFUNDED)),
    Case("nothing was captured, nor ever can be", UNDOING, SHUT, advance(VOIDED, PAYMENT_VOIDED)),
    Case("undone twice", REFUNDED, SHUT, ignore("it is undone already")),
    Case("undone though nothing was charged", TOMBSTONE, BACK, ignore("it is undone already")),
    Case("an undo that nobody intended", CAPTURED, BACK, NOT_UNDOING),
    Case("an undo of nothing", None, SHUT, NOT_UNDOING),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    """Each event leads in each state to just what its row says."""
    case.check(reactions)


def test_every_reaction_has_a_case() -> None:
    """No row of the service's table is without one here."""
    assert {type(case.event) for case in CASES} == {row.event for row in reactions}


@pytest.mark.parametrize("result", [each for each in ChargeResult if each is not ChargeResult.CAPTURED])
def test_every_refusal_declines(result: ChargeResult) -> None:
    """Whatever the provider says but "captured" declines the payment, with a reason of its own."""
    reason = DECLINES[result]
    outcome = reactions.react(charge_answered(result), CHARGING)
    assert outcome == advance(Declined(ORDER, PRICE, reason), PaymentDeclined(order_id=ORDER, reason=reason))


def test_reasons_are_told_apart() -> None:
    """No two results are told to the world as the same reason, and no reason is without a result."""
    assert set(DECLINES.values()) == set(DeclineReason)
    assert len(DECLINES) == len(DeclineReason)
