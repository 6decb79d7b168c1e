"""What only notification knows of: which mails there are, and which were accepted."""

from enum import StrEnum
from uuid import UUID

from shared.event import Event, PersonalData
from shared.outcome import FOR_EVER, Intent


class Mail(StrEnum):
    """The kinds of mail; an order gets at most one of each."""

    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class MailAccepted(Event, name="notification.mail_accepted", owner="notification", public=False):
    """The mail server took a mail over."""

    order_id: UUID
    mail: Mail


class MailRefused(Event, name="notification.mail_refused", owner="notification", public=False):
    """The mail server will never take a mail over: there is no such address."""

    order_id: UUID
    mail: Mail


class NotificationRecorded(Event, name="notification.recorded", owner="notification", public=False, final=True):
    """A mail is to be sent."""

    order_id: UUID
    mail: Mail
    reason: str | None = None


class NotificationSent(Event, name="notification.sent", owner="notification", public=False, final=True):
    """A mail is on its way."""

    order_id: UUID
    mail: Mail


class NotificationUndeliverable(
    Event, name="notification.undeliverable", owner="notification", public=False, final=True
):
    """A mail will never be on its way."""

    order_id: UUID
    mail: Mail


class SendConfirmed(Intent, kind="send_confirmed", answered_by=(MailAccepted, MailRefused), bound=FOR_EVER):
    """Mail the customer that the order stands."""

    email: PersonalData


class SendCancelled(
    Intent, kind="send_cancelled", answered_by=(MailAccepted, MailRefused), bound=FOR_EVER, corrects=(SendConfirmed,)
):
    """Mail the customer that the order is cancelled, and why."""

    email: PersonalData
    reason: str
