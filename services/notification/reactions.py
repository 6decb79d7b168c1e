"""What notification does: the table of contents of this service."""

from services.notification.events import (
    Mail,
    MailAccepted,
    MailRefused,
    NotificationRecorded,
    NotificationSent,
    NotificationUndeliverable,
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
        case Correspondence(cancelled=Progress.NONE):
            return ignore("it is recorded already")
        case _:
            return ignore("the order was cancelled meanwhile")


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
    order_id, mail = accepted.order_id, accepted.mail
    match told and told.progress(mail):
        case Progress.RECORDED:
            assert told is not None
            return advance(told.moved(mail, Progress.SENT), NotificationSent(order_id=order_id, mail=mail))
        case Progress.SENT | Progress.UNDELIVERABLE:
            return ignore("it is answered already")
        case _:
            raise ImpossibleError("a mail that was never recorded")


@reactions.on(MailRefused)
def note_undeliverable(refused: MailRefused, told: Correspondence | None) -> Outcome[NotificationUndeliverable]:
    """Note that a recorded mail cannot be sent: asking again would not change that."""
    order_id, mail = refused.order_id, refused.mail
    match told and told.progress(mail):
        case Progress.RECORDED:
            assert told is not None
            given_up = NotificationUndeliverable(order_id=order_id, mail=mail)
            return advance(told.moved(mail, Progress.UNDELIVERABLE), given_up)
        case Progress.SENT | Progress.UNDELIVERABLE:
            return ignore("it is answered already")
        case _:
            raise ImpossibleError("a mail that was never recorded")
