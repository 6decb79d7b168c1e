"""The outside parties, answered in process: what payment and notification speak to, without a network between.

The provider keeps its books by key, as the real one does, so that the money can be checked afterwards.
"""

from collections.abc import Mapping
from uuid import UUID

from services.notification.effects import performers_over as notification_performers
from services.payment.effects import Patience
from services.payment.effects import performers_over as payment_performers
from services.payment.events import ChargeResult, UndoResult
from shared.clock import SystemClock
from shared.intents import Performer
from shared.outcome import Intent
from shared.vocabulary.money import Money

PATIENCE = Patience(charge_attempts_max=1, charge_patience_s=60, undo_alarm_after_s=60, undo_alarm_interval_s=60)
"""Never tried: the books answer always."""


class Books:
    """A provider that approves every charge; it is payment's `Gateway`."""

    def __init__(self) -> None:
        self.captured: dict[UUID, int] = {}
        self.undone: set[UUID] = set()

    async def charge(self, order_id: UUID, money: Money, _: str) -> tuple[ChargeResult, str]:
        """Take the money, once."""
        if order_id in self.undone:
            return ChargeResult.KEY_CLOSED, f"ch_{order_id}"
        self.captured.setdefault(order_id, money.amount)
        return ChargeResult.CAPTURED, f"ch_{order_id}"

    async def undo(self, order_id: UUID) -> tuple[UndoResult, str]:
        """Give it back, and close the key."""
        self.undone.add(order_id)
        refunded = order_id in self.captured
        return UndoResult.REFUNDED if refunded else UndoResult.VOIDED, f"un_{order_id}"


async def _posted(*_: object) -> bool:
    return True


def performers(service: str, books: Books) -> Mapping[type[Intent], Performer] | None:
    """Give what carries out a service's intents here; None where it is what always does."""
    if service == "payment":
        return payment_performers(books, PATIENCE, SystemClock())
    if service == "notification":
        return notification_performers(_posted)
    return None
