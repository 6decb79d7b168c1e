"""What payment does: the table of contents of this service. Each step stands next to its undoing."""

from services.payment.events import (
    AmountLearned,
    Charge,
    ChargeAnswered,
    ChargeIntended,
    ChargeResult,
    StockLearned,
    Undo,
    UndoAnswered,
    UndoIntended,
    UndoResult,
)
from services.payment.state import (
    AwaitingOrder,
    AwaitingStock,
    Captured,
    Charging,
    Closed,
    Declined,
    Payment,
    Undoing,
)
from shared.outcome import ImpossibleError, Outcome, advance, ignore
from shared.reactions import Reactions
from shared.vocabulary.inventory import StockReserved
from shared.vocabulary.order import OrderCancelled, OrderPlaced
from shared.vocabulary.payment import (
    DeclineReason,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    PaymentVoided,
)

reactions = Reactions("payment")

DECLINES = {
    ChargeResult.DECLINED: DeclineReason.DECLINED,
    ChargeResult.CARD_DECLINED: DeclineReason.CARD_DECLINED,
    ChargeResult.INSUFFICIENT_FUNDS: DeclineReason.INSUFFICIENT_FUNDS,
    ChargeResult.UNKNOWN_TOKEN: DeclineReason.UNKNOWN_TOKEN,
    ChargeResult.INVALID_CHARGE: DeclineReason.INVALID_CHARGE,
    ChargeResult.KEY_CLOSED: DeclineReason.KEY_CLOSED,
    ChargeResult.SILENT: DeclineReason.PROVIDER_SILENT,
}


@reactions.on(OrderPlaced)
def learn_amount(placed: OrderPlaced, payment: Payment | None) -> Outcome[AmountLearned | ChargeIntended | Charge]:
    """Learn what the order costs; charge if its stock is held already."""
    order_id, money, token = placed.order_id, placed.total, placed.payment_token
    match payment:
        case None:
            return advance(
                AwaitingStock(order_id, money, token),
                AmountLearned(order_id=order_id, money=money),
            )
        case AwaitingOrder():
            return advance(
                Charging(order_id, money),
                ChargeIntended(order_id=order_id, money=money),
                Charge(order_id=order_id, money=money, token=token),
            )
        case Closed():
            return ignore("the order was cancelled before it was known here")
        case _:
            return ignore("the amount is known already")


@reactions.on(StockReserved)
def learn_stock(reserved: StockReserved, payment: Payment | None) -> Outcome[StockLearned | ChargeIntended | Charge]:
    """Learn that the stock is held; charge if the amount is known already."""
    order_id = reserved.order_id
    match payment:
        case None:
            return advance(AwaitingOrder(order_id), StockLearned(order_id=order_id))
        case AwaitingStock(money=money, token=token):
            return advance(
                Charging(order_id, money),
                ChargeIntended(order_id=order_id, money=money),
                Charge(order_id=order_id, money=money, token=token),
            )
        case Closed() | Undoing():
            return ignore("the order is cancelled")
        case _:
            return ignore("the stock is known to be held already")


@reactions.on(ChargeAnswered)
def settle_charge(answer: ChargeAnswered, payment: Payment | None) -> Outcome[PaymentCaptured | PaymentDeclined]:
    """Tell what became of the charge. An answer that comes too late changes nothing: the undo decides."""
    match payment:
        case Charging(order_id, money) if answer.result is ChargeResult.CAPTURED:
            captured = PaymentCaptured(order_id=order_id, money=money, charge_id=answer.charge_id)
            return advance(Captured(order_id, money, answer.charge_id), captured)
        case Charging(order_id, money):
            reason = DECLINES[answer.result]
            return advance(Declined(order_id, money, reason), PaymentDeclined(order_id=order_id, reason=reason))
        case Captured():
            return ignore("captured already")
        case Declined():
            return ignore("declined already: the cancellation that follows undoes whatever became of the charge")
        case Undoing() | Closed():
            return ignore("the order is cancelled: the undo decides")
        case _:
            raise ImpossibleError("an answer to a charge that nobody intended")


@reactions.on(OrderCancelled, withdraws=(Charge,))
def undo_charge(cancelled: OrderCancelled, payment: Payment | None) -> Outcome[PaymentVoided | UndoIntended | Undo]:
    """Undo, whatever was done. Once a charge was intended, only the provider can say that nothing was captured."""
    order_id = cancelled.order_id
    match payment:
        case None | AwaitingStock() | AwaitingOrder():
            return advance(Closed(order_id, UndoResult.VOIDED, None, None), PaymentVoided(order_id=order_id))
        case Charging(money=money) | Captured(money=money) | Declined(money=money):
            return advance(
                Undoing(order_id, money),
                UndoIntended(order_id=order_id),
                Undo(order_id=order_id),
                withdraw=(Charge,),
            )
        case Undoing():
            return ignore("it is being undone already")
        case Closed():
            return ignore("it is undone already")


@reactions.on(UndoAnswered)
def close(answer: UndoAnswered, payment: Payment | None) -> Outcome[PaymentVoided | PaymentRefunded]:
    """Answer the cancellation, now that the provider's outcome is final."""
    match payment:
        case Undoing(order_id, money) if answer.result is UndoResult.REFUNDED:
            refunded = PaymentRefunded(order_id=order_id, money=money, undo_id=answer.undo_id)
            return advance(Closed(order_id, answer.result, money, answer.undo_id), refunded)
        case Undoing(order_id):
            return advance(Closed(order_id, answer.result, None, answer.undo_id), PaymentVoided(order_id=order_id))
        case Closed():
            return ignore("it is undone already")
        case _:
            raise ImpossibleError("an answer to an undo that nobody intended")
