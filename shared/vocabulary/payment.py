"""What the payment service tells. A cancellation is answered once, by `voided` or by `refunded`."""

from enum import StrEnum
from uuid import UUID

from shared.event import Event
from shared.vocabulary.money import Money
from shared.vocabulary.order import OrderCancelled


class DeclineReason(StrEnum):
    """Why the money was not taken, or is not known to have been."""

    DECLINED = "declined"
    CARD_DECLINED = "card_declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 - the name of a reason, not a password
    INVALID_CHARGE = "invalid_charge"
    KEY_CLOSED = "key_closed"
    PROVIDER_SILENT = "provider_silent"


class PaymentCaptured(Event, name="payment.captured", owner="payment"):
    """The provider took the money."""

    order_id: UUID
    money: Money
    charge_id: str


class PaymentDeclined(Event, name="payment.declined", owner="payment"):
    """The provider refused, or did not answer in time: then the undo settles what became of the charge."""

    order_id: UUID
    reason: DeclineReason


class PaymentVoided(Event, name="payment.voided", owner="payment", closes=OrderCancelled):
    """The order is cancelled, nothing was captured, and nothing ever can be."""

    order_id: UUID


class PaymentRefunded(Event, name="payment.refunded", owner="payment", closes=OrderCancelled):
    """The order is cancelled and what was captured is given back."""

    order_id: UUID
    money: Money
    undo_id: str
