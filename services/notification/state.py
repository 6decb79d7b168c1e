"""The state of what one order's customer was told: each mail is recorded first, then sent."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from uuid import UUID

from services.notification.events import Mail


class Progress(StrEnum):
    """How far a mail is."""

    NONE = "none"
    RECORDED = "recorded"
    SENT = "sent"
    UNDELIVERABLE = "undeliverable"


@dataclass(frozen=True, slots=True)
class Correspondence:
    """All mails of one order."""

    order_id: UUID
    email: str = field(repr=False)
    confirmed: Progress = Progress.NONE
    cancelled: Progress = Progress.NONE
    reason: str | None = None

    def progress(self, mail: Mail) -> Progress:
        """Say how far a mail is."""
        return self.confirmed if mail is Mail.CONFIRMED else self.cancelled

    def moved(self, mail: Mail, progress: Progress, reason: str | None = None) -> "Correspondence":
        """Move a mail on."""
        match mail:
            case Mail.CONFIRMED:
                return replace(self, confirmed=progress)
            case Mail.CANCELLED:
                return replace(self, cancelled=progress, reason=reason or self.reason)
