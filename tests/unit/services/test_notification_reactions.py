"""What notification does, case by case."""

import pytest

from services.notification.events import (
    Mail,
    NotificationRecorded,
    NotificationSent,
    NotificationUndeliverable,
    SendCancelled,
    SendConfirmed,
)
from services.notification.reactions import reactions
from services.notification.state import Progress
from shared.outcome import ImpossibleError, advance, ignore
from shared.vocabulary.order import CancelReason
from tests.unit.services.builders import CONFIRMED, EMAIL, ORDER, accepted, cancelled, refused, told
from tests.unit.services.cases import Case

RECORDED, SENT, UNDELIVERABLE = Progress.RECORDED, Progress.SENT, Progress.UNDELIVERABLE
TOO_LATE = CancelReason.DEADLINE_PASSED
RECORD_CONFIRMED = NotificationRecorded(order_id=ORDER, mail=Mail.CONFIRMED)
RECORD_CANCELLED = NotificationRecorded(order_id=ORDER, mail=Mail.CANCELLED, reason="customer_request")
SEND_CONFIRMED = SendConfirmed(order_id=ORDER, email=EMAIL)
SEND_CANCELLED = SendCancelled(order_id=ORDER, email=EMAIL, reason="customer_request")
CONFIRMED_SENT = NotificationSent(order_id=ORDER, mail=Mail.CONFIRMED)
CANCELLED_SENT = NotificationSent(order_id=ORDER, mail=Mail.CANCELLED)
CONFIRMED_LOST = NotificationUndeliverable(order_id=ORDER, mail=Mail.CONFIRMED)
CANCELLED_LOST = NotificationUndeliverable(order_id=ORDER, mail=Mail.CANCELLED)
BEFORE = ignore("it is recorded already")
ANSWERED = ignore("it is answered already")
MEANWHILE = ignore("the order was cancelled meanwhile")
UNRECORDED = ImpossibleError("a mail that was never recorded")

CASES = [
    # "confirmed", unless "cancelled" came first.
    Case("confirmed", None, CONFIRMED, advance(told(RECORDED), RECORD_CONFIRMED, SEND_CONFIRMED)),
    Case("confirmed again", told(RECORDED), CONFIRMED, BEFORE),
    Case("confirmed again after it was sent", told(SENT), CONFIRMED, BEFORE),
    Case("confirmed again after it was refused", told(UNDELIVERABLE), CONFIRMED, BEFORE),
    Case("confirmed after cancelled", told(cancelled=RECORDED), CONFIRMED, MEANWHILE),
    Case("confirmed after cancelled was sent", told(cancelled=SENT), CONFIRMED, MEANWHILE),
    Case("confirmed again after both", told(SENT, SENT), CONFIRMED, MEANWHILE),
    # "cancelled", which corrects whatever was told.
    Case("cancelled at once", None, cancelled(), advance(told(cancelled=RECORDED), RECORD_CANCELLED, SEND_CANCELLED)),
    Case(
        "cancelled after confirmed",
        told(SENT),
        cancelled(),
        advance(told(SENT, RECORDED), RECORD_CANCELLED, SEND_CANCELLED),
    ),
    Case(
        "the reason is told",
        None,
        cancelled(TOO_LATE),
        advance(
            told(cancelled=RECORDED, reason=TOO_LATE),
            NotificationRecorded(order_id=ORDER, mail=Mail.CANCELLED, reason="deadline_passed"),
            SendCancelled(order_id=ORDER, email=EMAIL, reason="deadline_passed"),
        ),
    ),
    Case(
        "cancelled after confirmed was refused",
        told(UNDELIVERABLE),
        cancelled(),
        advance(told(UNDELIVERABLE, RECORDED), RECORD_CANCELLED, SEND_CANCELLED),
    ),
    Case("cancelled again", told(cancelled=RECORDED), cancelled(), BEFORE),
    Case("cancelled again after it was sent", told(SENT, SENT), cancelled(TOO_LATE), BEFORE),
    # The mail server took it.
    Case("confirmed is sent", told(RECORDED), accepted(Mail.CONFIRMED), advance(told(SENT), CONFIRMED_SENT)),
    Case(
        "confirmed is sent after cancelled was recorded",
        told(RECORDED, RECORDED),
        accepted(Mail.CONFIRMED),
        advance(told(SENT, RECORDED), CONFIRMED_SENT),
    ),
    Case(
        "cancelled is sent, with its reason kept",
        told(cancelled=RECORDED, reason=TOO_LATE),
        accepted(Mail.CANCELLED),
        advance(told(cancelled=SENT, reason=TOO_LATE), CANCELLED_SENT),
    ),
    Case("sent twice", told(SENT), accepted(Mail.CONFIRMED), ANSWERED),
    Case("sent after it was refused", told(UNDELIVERABLE), accepted(Mail.CONFIRMED), ANSWERED),
    Case("sent though never recorded", told(RECORDED), accepted(Mail.CANCELLED), UNRECORDED),
    Case("sent to nobody", None, accepted(Mail.CONFIRMED), UNRECORDED),
    # The mail server never will.
    Case("no such address", told(RECORDED), refused(Mail.CONFIRMED), advance(told(UNDELIVERABLE), CONFIRMED_LOST)),
    Case(
        "no such address any more",
        told(SENT, RECORDED),
        refused(Mail.CANCELLED),
        advance(told(SENT, UNDELIVERABLE), CANCELLED_LOST),
    ),
    Case("refused twice", told(UNDELIVERABLE), refused(Mail.CONFIRMED), ANSWERED),
    Case("refused after it was sent", told(SENT), refused(Mail.CONFIRMED), ANSWERED),
    Case("refused though never recorded", told(RECORDED), refused(Mail.CANCELLED), UNRECORDED),
    Case("refused to nobody", None, refused(Mail.CANCELLED), UNRECORDED),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_case(case: Case) -> None:
    """Each event leads in each state to just what its row says."""
    case.check(reactions)


def test_every_reaction_has_a_case() -> None:
    """No row of the service's table is without one here."""
    assert {type(case.event) for case in CASES} == {row.event for row in reactions}
