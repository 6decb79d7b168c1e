"""Events carried by hand: taken from their owner's log, and given to whom a test chooses in the order it chooses."""

from uuid import UUID

from shared.batch import Item
from shared.envelope import Envelope
from shared.event import VOCABULARY, Event
from tests.integration.auditor import Auditor
from tests.waiting import eventually

ORDER_ROW = "SELECT FROM order_service.orders WHERE order_id = $1 FOR UPDATE"
"""Held by a test, it lines up whoever wants to judge that order: they get it in the order in which they came."""


async def carried(auditor: Auditor, event: type[Event], order_id: UUID) -> Item:
    """Wait until an event of an order is logged by its owner, and give it as a shell takes it."""

    async def look() -> Item:
        rows = await auditor.rows(
            f"SELECT event_id, type, payload FROM {event.kind.owner}_service.events"  # noqa: S608 - ours
            " WHERE correlation_id = $1 AND type = $2",
            order_id,
            event.kind.type,
        )
        assert len(rows) == 1, f"{event.kind.type} of {order_id}: {len(rows)}"
        (row,) = rows
        return Item(Envelope(row["event_id"], VOCABULARY[row["type"]].model_validate_json(row["payload"]), order_id))

    return await eventually(look)


async def deadline_of(auditor: Auditor, order_id: UUID) -> UUID:
    """Give the id of the intent that ends an order's wait."""
    intent_id: UUID = await auditor.value("SELECT intent_id FROM order_service.intents WHERE stream_id = $1", order_id)
    return intent_id
