"""The states of a payment. Each knows just what the steps that leave it need.

nothing → AwaitingStock ─┐
nothing → AwaitingOrder ─┴→ Charging → Captured | Declined
nothing | AwaitingStock | AwaitingOrder            → Closed, when the order is cancelled
Charging | Captured | Declined          → Undoing  → Closed, when the order is cancelled
"""

from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from services.payment.events import UndoResult
from shared.vocabulary.money import Money
from shared.vocabulary.payment import DeclineReason


@dataclass(frozen=True, slots=True)
class AwaitingStock:
    """The order is known, the stock is not held yet."""

    order_id: UUID
    money: Money
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AwaitingOrder:
    """The stock is held, the order is not known yet."""

    order_id: UUID


@dataclass(frozen=True, slots=True)
class Charging:
    """The provider is being asked."""

    order_id: UUID
    money: Money


@dataclass(frozen=True, slots=True)
class Captured:
    """The provider took the money."""

    order_id: UUID
    money: Money
    charge_id: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The provider refused, or did not answer in time."""

    order_id: UUID
    money: Money
    reason: DeclineReason


@dataclass(frozen=True, slots=True)
class Undoing:
    """The order is cancelled, and the provider is being asked to close its key."""

    order_id: UUID
    money: Money


@dataclass(frozen=True, slots=True)
class Closed:
    """The order is cancelled and nothing of its money is here, nor ever will be; also the tombstone."""

    order_id: UUID
    result: UndoResult
    money: Money | None
    undo_id: str | None


Payment: TypeAlias = AwaitingStock | AwaitingOrder | Charging | Captured | Declined | Undoing | Closed
"""What is known of one order's payment; None stands for nothing yet."""
