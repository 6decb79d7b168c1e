"""How what a customer was told is folded from its log: the same steps as in `state.py`, by what was logged alone.

Not in the log, and so left out: the e-mail address, which is kept in one row alone.
"""

from dataclasses import replace
from uuid import UUID

from services.notification.events import Mail, NotificationRecorded, NotificationSent, NotificationUndeliverable
from services.notification.state import Correspondence, Progress
from shared.event import Event
from shared.outcome import ImpossibleError


def evolve(told: Correspondence | None, event: Event) -> Correspondence:
    """Give the state that a logged event leads to.

    Raises:
        ImpossibleError: no reaction logs it in this state.
    """
    match event:
        case NotificationRecorded(order_id=order_id, mail=mail, reason=reason) if _may_record(told, mail):
            return (told or _nothing_told(order_id)).moved(mail, Progress.RECORDED, reason)
        case NotificationSent(mail=mail) if told and told.progress(mail) is Progress.RECORDED:
            return told.moved(mail, Progress.SENT)
        case NotificationUndeliverable(mail=mail) if told and told.progress(mail) is Progress.RECORDED:
            return told.moved(mail, Progress.UNDELIVERABLE)
    raise ImpossibleError(f"{event.kind.name} for {told}")


def _may_record(told: Correspondence | None, mail: Mail) -> bool:
    """Each mail is recorded once, and "confirmed" comes first or never."""
    return told is None or (mail is Mail.CANCELLED and told.cancelled is Progress.NONE)


def _nothing_told(order_id: UUID) -> Correspondence:
    return Correspondence(order_id, "")


def as_logged(told: Correspondence) -> Correspondence:
    """Give a state without what its log does not tell."""
    return replace(told, email="")
