"""What only payment knows of: answers of the provider, steps of its own, and what it intends to do."""

from enum import StrEnum
from uuid import UUID

from shared.event import Event, Secret
from shared.outcome import FOR_EVER, Intent
from shared.vocabulary.money import Money


class ChargeResult(StrEnum):
    """What the provider says became of a charge; `silent` is ours, for a provider that does not answer."""

    CAPTURED = "captured"
    DECLINED = "declined"
    CARD_DECLINED = "card_declined"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 - the name of a result, not a password
    INVALID_CHARGE = "invalid_charge"
    KEY_CLOSED = "key_closed"
    SILENT = "silent"


class UndoResult(StrEnum):
    """What the provider did to close a key for good."""

    VOIDED = "voided"
    REFUNDED = "refunded"


class ChargeAnswered(Event, name="payment.charge_answered", owner="payment", public=False):
    """The provider answered a charge, or was given up on."""

    order_id: UUID
    result: ChargeResult
    charge_id: str


class UndoAnswered(Event, name="payment.undo_answered", owner="payment", public=False):
    """The provider closed a key."""

    order_id: UUID
    result: UndoResult
    undo_id: str


class AmountLearned(Event, name="payment.amount_learned", owner="payment", public=False, final=True):
    """The order is known; its stock is not held yet. The token waits in the state alone: a log is for ever."""

    order_id: UUID
    money: Money


class StockLearned(Event, name="payment.stock_learned", owner="payment", public=False, final=True):
    """The stock is held; the order is not known yet."""

    order_id: UUID


class ChargeIntended(Event, name="payment.charge_intended", owner="payment", public=False, final=True):
    """Both are known: from here on a cancellation goes through the provider's undo."""

    order_id: UUID
    money: Money


class UndoIntended(Event, name="payment.undo_intended", owner="payment", public=False, final=True):
    """The order is cancelled after a charge was intended."""

    order_id: UUID


class Charge(Intent, kind="charge", answered_by=(ChargeAnswered,), bound="charge_patience_s"):
    """Ask the provider for the money, with the order's id as the key, until it answers."""

    money: Money
    token: Secret


class Undo(Intent, kind="undo", answered_by=(UndoAnswered,), bound=FOR_EVER, undoes=(Charge,)):
    """Have the provider close the order's key for good, however long it takes."""
