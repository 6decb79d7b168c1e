"""Dead letters, and what all of them must say of themselves."""

from datetime import datetime

from aio_pika.abc import AbstractIncomingMessage

from shared.envelope import Envelope
from shared.retries import ATTEMPTS, ERROR_CLASS, FIRST_FAILED_AT, LANE, LAST_FAILED_AT, REASON
from tests.integration.auditor import Auditor
from tests.integration.servers import TIERS_MS
from tests.integration.wire import message

ATTEMPTS_MAX = len(TIERS_MS) + 1


async def letter_of(auditor: Auditor, lane: str, envelope: Envelope) -> AbstractIncomingMessage:
    """Wait for the dead letter of an event that was tried as often as can be, and hold it against its lane."""
    letter = await auditor.take(f"{lane.partition('.')[0]}.dead")
    assert str(letter.message_id).startswith(str(envelope.event_id))
    written = set(letter.headers) - {"x-delivery-count"}  # which the queue counts as it hands the letter out
    assert written == {ATTEMPTS, LANE, REASON, ERROR_CLASS, FIRST_FAILED_AT, LAST_FAILED_AT}
    assert letter.headers[ATTEMPTS] == ATTEMPTS_MAX
    assert letter.headers[LANE] == lane
    times = [datetime.fromisoformat(str(letter.headers[name])) for name in (FIRST_FAILED_AT, LAST_FAILED_AT)]
    assert times[0] < times[1]
    assert message([envelope])[:100] == letter.body[:100]
    return letter
