"""How a payment's state is folded from its log: the same steps as in `state.py`, told by what was logged alone.

Not in the log, and so left out: the payment token, a secret that is kept only while it waits, and the provider's id of
a void, which moved no money; what the row says of it can be held against the provider's own ledger.
"""

from dataclasses import replace

from services.payment.events import AmountLearned, ChargeIntended, StockLearned, UndoIntended, UndoResult
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
from shared.event import Event
from shared.outcome import ImpossibleError
from shared.vocabulary.payment import PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided


def evolve(payment: Payment | None, event: Event) -> Payment:
    """Give the state that a logged event leads to.

    Raises:
        ImpossibleError: no reaction logs it in this state.
    """
    match payment, event:
        case None, AmountLearned(order_id=order_id, money=money):
            return AwaitingStock(order_id, money, "")
        case None, StockLearned(order_id=order_id):
            return AwaitingOrder(order_id)
        case AwaitingOrder(order_id), ChargeIntended(money=money):
            return Charging(order_id, money)
        case AwaitingStock(order_id, learned), ChargeIntended(money=money) if money == learned:
            return Charging(order_id, money)
        case Charging(order_id, intended), PaymentCaptured(money=money) if money == intended:
            return Captured(order_id, money, event.charge_id)
        case Charging(order_id, money), PaymentDeclined(reason=reason):
            return Declined(order_id, money, reason)
        case ((None | AwaitingStock() | AwaitingOrder() | Undoing()), PaymentVoided(order_id=order_id)):
            return Closed(order_id, UndoResult.VOIDED, None, None)
        case ((Charging() | Captured() | Declined()), UndoIntended()):
            return Undoing(payment.order_id, payment.money)
        case Undoing(order_id, charged), PaymentRefunded(money=money) if money == charged:
            return Closed(order_id, UndoResult.REFUNDED, money, event.undo_id)
    raise ImpossibleError(f"{event.kind.name} for a payment that is {type(payment).__name__}")


def as_logged(payment: Payment) -> Payment:
    """Give a state without what its log does not tell."""
    match payment:
        case AwaitingStock():
            return replace(payment, token="")
        case Closed(result=UndoResult.VOIDED):
            return replace(payment, undo_id=None)
    return payment
