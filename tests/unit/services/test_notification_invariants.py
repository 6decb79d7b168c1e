"""What notification never tells a customer, whatever comes in whatever order, once or many times."""

from hypothesis import given

from services.notification.events import (
    Mail,
    NotificationRecorded,
    NotificationSent,
    NotificationUndeliverable,
    SendCancelled,
    SendConfirmed,
)
from services.notification.reactions import reactions
from services.notification.store import to_row
from shared.envelope import Envelope
from shared.vocabulary.order import CancelReason
from tests.unit.services.builders import CONFIRMED, ORDER, accepted, cancelled
from tests.unit.services.representatives import NOTIFICATION
from tests.unit.services.schema import Schema
from tests.unit.services.stage import Stage, batches, histories, order_book
from tests.unit.shared.generated import MANY

SCHEMA = Schema("notification")
CONFIRMED_SENT, CANCELLED_SENT = accepted(Mail.CONFIRMED), accepted(Mail.CANCELLED)
LIVES = (
    [CONFIRMED, CONFIRMED_SENT],
    [CONFIRMED, CONFIRMED_SENT, cancelled(), CANCELLED_SENT],
    [cancelled(), CANCELLED_SENT, cancelled(CancelReason.DEADLINE_PASSED), CANCELLED_SENT],
    [cancelled(), CONFIRMED, CANCELLED_SENT],
)
HISTORIES = histories(LIVES, NOTIFICATION.events.values())


@MANY
@given(batches(HISTORIES))
def test_mails(history: list[list[Envelope]]) -> None:
    """Each kind is recorded at most once, "confirmed" never after "cancelled", and each is answered once."""
    stage = Stage(reactions, order_book())
    for batch in history:
        stage.play(*batch)
        told = stage.book.read(CONFIRMED)
        if told is not None:
            row = {"order_id": str(ORDER), "version": stage.book.position(CONFIRMED)[1], **to_row(told)}
            assert SCHEMA.refuses("correspondence", row) is None
    recorded = [event.mail for event in stage.events if isinstance(event, NotificationRecorded)]
    answered = [e.mail for e in stage.events if isinstance(e, NotificationSent | NotificationUndeliverable)]
    assert recorded in ([], [Mail.CONFIRMED], [Mail.CANCELLED], [Mail.CONFIRMED, Mail.CANCELLED])
    assert set(answered) <= set(recorded)
    assert len(answered) == len(set(answered))
    assert stage.count(SendConfirmed) == recorded.count(Mail.CONFIRMED)
    assert stage.count(SendCancelled) == recorded.count(Mail.CANCELLED)
    assert stage.gapless()
