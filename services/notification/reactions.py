"""What notification does: the table of contents of this service."""

from services.notification.events import (
    Mail,
    MailAccepted,
    NotificationRecorded,
    NotificationSent,
    SendCancelled,
    SendConfirmed,
)
from services.notification.state import Correspondence, Progress
from shared.outcome import ImpossibleError, Outcome, advance, ignore
from shared.reactions import Reactions
from shared.vocabulary.order import OrderCancelled, OrderConfirmed

reactions = Reactions("notification")


@reactions.on(OrderConfirmed)
def tell_confirmed(
    confirmed: OrderConfirmed, told: Correspondence | None
) -> Outcome[NotificationRecorded | SendConfirmed]:
    """Record and send "confirmed", unless "cancelled" came first: then it would be wrong by now."""
    order_id, email = confirmed.order_id, confirmed.email
    match told:
        case None:
            return advance(
                Correspondence(order_id, email, confirmed=Progress.RECORDED),
                NotificationRecorded(order_id=order_id, mail=Mail.CONFIRMED),
                SendConfirmed(order_id=order_id, email=email),
            )
        case Correspondence(cancelled=Progress.RECORDED | Progress.SENT):
            return ignore("the order was cancelled meanwhile")
        case _:
            return ignore("it is recorded already")


@reactions.on(OrderCancelled)
def tell_cancelled(
    cancelled: OrderCancelled, told: Correspondence | None
) -> Outcome[NotificationRecorded | SendCancelled]:
    """Record and send "cancelled", which corrects whatever was told before."""
    order_id, email, reason = cancelled.order_id, cancelled.email, cancelled.reason.value
    match told:
        case None | Correspondence(cancelled=Progress.NONE):
            told = told or Correspondence(order_id, email)
            return advance(
                told.moved(Mail.CANCELLED, Progress.RECORDED, reason),
                NotificationRecorded(order_id=order_id, mail=Mail.CANCELLED, reason=reason),
                SendCancelled(order_id=order_id, email=email, reason=reason),
            )
        case _:
            return ignore("it is recorded already")


@reactions.on(MailAccepted)
def note_sent(accepted: MailAccepted, told: Correspondence | None) -> Outcome[NotificationSent]:
    """Note that a recorded mail is on its way."""
    if told is None or told.progress(accepted.mail) is Progress.NONE:
        raise ImpossibleError("a mail that was never recorded")
    if told.progress(accepted.mail) is Progress.SENT:
        return ignore("it is sent already")
    sent = NotificationSent(order_id=accepted.order_id, mail=accepted.mail)
    return advance(told.moved(accepted.mail, Progress.SENT), sent)
