"""Dead letters, and what all of them must say of themselves."""

from typing import Any

from shared.envelope import Envelope
from tests.integration.auditor import Auditor
from tests.integration.servers import TIERS_MS
from tests.integration.wire import message
from tests.waiting import eventually

ATTEMPTS_MAX = len(TIERS_MS) + 1


async def kept(auditor: Auditor, service: str, count: int = 1) -> list[Any]:
    """Wait until a service has drained so many dead letters into its table, and give them."""

    async def look() -> list[Any]:
        assert await auditor.depths([f"{service}.dead"]) == {}
        rows = await auditor.rows(f"SELECT * FROM {service}_service.dead_letters ORDER BY drained_at")  # noqa: S608 - ours
        assert len(rows) == count
        return list(rows)

    return await eventually(look)


async def letter_of(auditor: Auditor, lane: str, envelope: Envelope) -> Any:
    """Wait for the dead letter of an event that was tried as often as can be, and hold it against its lane."""
    service = lane.partition(".")[0]
    (letter,) = await kept(auditor, service)
    assert (letter["event_id"], letter["type"]) == (envelope.event_id, envelope.type)
    assert (letter["lane"], letter["attempts"]) == (lane, ATTEMPTS_MAX)
    assert letter["correlation_id"] == envelope.correlation_id
    assert letter["first_failed_at"] < letter["last_failed_at"]
    assert message([envelope])[:100] == letter["body"][:100]
    (inbox,) = await auditor.rows(
        f"SELECT outcome FROM {service}_service.inbox WHERE event_id = $1",  # noqa: S608 - ours
        envelope.event_id,
    )
    assert inbox["outcome"] == "dead"
    return letter
