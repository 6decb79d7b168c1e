"""Data that the schema refuses, in the middle of a batch: the event's own failure, and nobody else's."""

from typing import Any

import pytest

from services.inventory.reactions import reactions
from shared.outcome import Advanced, Ignored, advance
from shared.vocabulary.inventory import StockLine, StockReserved
from shared.vocabulary.order import OrderPlaced
from tests.integration.letters import letter_of
from tests.integration.reacting import Function, wrapped
from tests.integration.stage import Stage
from tests.integration.wire import confirmed, envelope, placed, send

pytestmark = pytest.mark.integration


def overselling(function: Function, event: Any, state: Any) -> Advanced[Any] | Ignored:
    """Hold whatever is asked for, without a look at what there is."""
    if not isinstance(event, OrderPlaced):
        return function(event, state)
    lines = tuple(StockLine(sku=line.sku, quantity=line.quantity) for line in event.lines)
    return advance(state.held(event.order_id, lines), StockReserved(order_id=event.order_id, lines=lines))


async def test_stock_below_zero_is_refused_by_the_schema_itself(stage: Stage) -> None:
    """A reaction that oversells is set aside by the CHECK; the orders around it in the batch are held."""
    await stage.offer(bow=10)
    batch = [envelope(placed(bow=quantity)) for quantity in (2, 3, 100, 1, 1)]
    bad, good = batch[2], [*batch[:2], *batch[3:]]
    async with stage.runtime("inventory", wrapped(reactions, overselling)):
        await send(stage.auditor, *batch)
        letter = await letter_of(stage.auditor, "inventory.order.placed", bad)
    assert letter["error_class"] == "CheckViolationError"
    assert "stock_available_check" in letter["reason"]
    held = await stage.auditor.rows("SELECT order_id FROM inventory_service.reservations WHERE status = 'held'")
    assert {row["order_id"] for row in held} == {one.correlation_id for one in good}
    inbox = await stage.auditor.rows("SELECT event_id FROM inventory_service.inbox WHERE outcome = 'advanced'")
    assert {row["event_id"] for row in inbox} == {one.event_id for one in good}
    (stock,) = await stage.auditor.rows("SELECT available, reserved FROM inventory_service.stock")
    assert tuple(stock) == (3, 7)
    assert await stage.auditor.count("inventory_service.events", "type = 'stock.reserved.v1'") == len(good)


async def test_text_that_the_database_cannot_hold_is_set_aside(stage: Stage) -> None:
    """A NUL character passes as JSON and as a string, and no column takes it: its neighbours do not suffer."""
    first, last = envelope(confirmed()), envelope(confirmed())
    bad = envelope(confirmed().model_copy(update={"email": "nul\0@example.org"}))
    bad = bad._replace(correlation_id=bad.event.order_id)  # type: ignore[attr-defined]  # it is about an order
    async with stage.runtime("notification"):
        await send(stage.auditor, first, bad, last)
        letter = await letter_of(stage.auditor, "notification.order.confirmed", bad)
    assert letter["error_class"] == "UntranslatableCharacterError"
    told = await stage.auditor.rows("SELECT order_id FROM notification_service.correspondence")
    assert {row["order_id"] for row in told} == {first.correlation_id, last.correlation_id}
