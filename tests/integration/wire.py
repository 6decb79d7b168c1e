"""Events as their owners would send them: for tests that play only one service."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.batch import Item
from shared.envelope import Envelope, Logged, encode
from shared.ids import new_id
from shared.vocabulary.money import Money
from shared.vocabulary.order import OrderConfirmed, OrderLine, OrderPlaced
from tests.integration.auditor import Auditor
from tests.integration.stage import PRICES

OTHER_PRICE = 100
"""Of what stands in no catalogue, in minor units: where order does not play, nobody asks."""


def placed(**quantities: int) -> OrderPlaced:
    """An order of so many of each SKU."""
    lines = tuple(
        OrderLine(sku=sku, quantity=q, unit_price=PRICES.get(sku, OTHER_PRICE)) for sku, q in quantities.items()
    )
    total = Money(amount=sum(line.quantity * line.unit_price for line in lines), currency="EUR")
    return OrderPlaced(order_id=new_id(), customer_id="c", lines=lines, total=total, payment_token="tok_approved")


def confirmed(order_id: UUID | None = None) -> OrderConfirmed:
    """A confirmation, of an order of its own where none is given."""
    order_id = order_id or new_id()
    return OrderConfirmed(order_id=order_id, email=f"c-{order_id}@example.org")


def envelope(event: Any, event_id: UUID | None = None) -> Envelope:
    """An event on its way into a shell."""
    return Envelope(event_id or new_id(), event, event.order_id)


def item(event: Any, event_id: UUID | None = None) -> Item:
    """An event as a shell takes it."""
    return Item(envelope(event, event_id))


def message(envelopes: Iterable[Envelope]) -> bytes:
    """One message with several events of one type, as a relay packs them."""
    return encode(
        [
            Logged(
                event_id=one.event_id,
                type=one.type,
                owner=one.event.kind.owner,
                payload=one.event.model_dump_json().encode(),
                correlation_id=one.correlation_id,
                causation_id=None,
                traceparent=one.traceparent,
                occurred_at=datetime.now(UTC),
            )
            for one in envelopes
        ]
    )


async def send(auditor: Auditor, *envelopes: Envelope) -> None:
    """Publish events of one type as one message, to the exchange of their owner."""
    kind = envelopes[0].event.kind
    await auditor.publish(f"{kind.owner}.events", kind.name, message(envelopes), str(envelopes[0].event_id))
