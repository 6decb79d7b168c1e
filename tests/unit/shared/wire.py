"""CloudEvents of the real vocabulary, for tests of what comes and goes over the wire."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

import services.inventory.reactions
import services.notification.reactions
import services.order.reactions
import services.payment.reactions
from shared.envelope import Logged
from shared.event import VOCABULARY, Event
from shared.ids import derived_id

TABLES = (
    services.order.reactions.reactions,
    services.inventory.reactions.reactions,
    services.payment.reactions.reactions,
    services.notification.reactions.reactions,
)
EVENTS = [event for event in VOCABULARY.values() if event.kind.owner in {table.service for table in TABLES}]
PUBLIC = [event for event in EVENTS if event.kind.public]
PRIVATE = [event for event in EVENTS if not event.kind.public]

NOW = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
ORDER = UUID("0190d1a5-0000-7000-8000-000000000001")
CAUSE = UUID("0190d1a5-0000-7000-8000-000000000002")
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def logged(event: Event, number: int = 1, *, causation_id: UUID | None = CAUSE, trace: str | None = TRACE) -> Logged:
    """Log an event, as a batch does."""
    kind, payload = event.kind, event.model_dump_json().encode()
    return Logged(derived_id(CAUSE, str(number)), kind.type, kind.owner, payload, ORDER, causation_id, trace, NOW)


def entry(event_id: UUID, type_: str = "order.placed.v1", payload: bytes = b"{}") -> Logged:
    """Log bytes."""
    return Logged(event_id, type_, "order", payload, ORDER, CAUSE, None, NOW)


def cloud_event(**changes: Any) -> dict[str, Any]:
    """Give the attributes of an `order.cancelled`; one that is changed to `...` is left out."""
    attributes = {
        "specversion": "1.0",
        "id": str(CAUSE),
        "source": "/quartet/order",
        "type": "order.cancelled.v1",
        "time": "2026-01-02T03:04:05.678000+00:00",
        "correlationid": str(ORDER),
        "data": {"order_id": str(ORDER), "reason": "out_of_stock", "email": "anna@example.com"},
        **changes,
    }
    return {name: value for name, value in attributes.items() if value is not ...}


def batch(*attributes: object) -> bytes:
    """Write a body."""
    return orjson.dumps(attributes)
