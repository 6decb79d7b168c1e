"""At-least-once on the wire, once in the books: the inbox drops what was reacted to before."""

import asyncio
from collections.abc import Iterable

import pytest

from services.inventory.events import ReceiptRequested
from shared.batch import Item, Result
from shared.envelope import Envelope
from shared.ids import new_id
from tests.integration.auditor import Auditor
from tests.integration.stage import Stage
from tests.integration.wire import envelope, placed, send
from tests.waiting import eventually

pytestmark = pytest.mark.integration

ORDERS = 40
COPIES = 3
LANE = "inventory.order.placed"


async def held_once(auditor: Auditor, orders: int) -> None:
    """Wait until every message is taken care of; every order then holds one rosin, reacted to once.

    Reacted to twice, an event would be noted as ignored: the reaction itself would say that it was decided before.
    """

    async def look() -> None:
        assert await auditor.depths([LANE]) == {}
        assert await auditor.count("inventory_service.inbox", "outcome = 'advanced'") == orders

    await eventually(look)
    assert await auditor.count("inventory_service.inbox") == orders
    assert await auditor.count("inventory_service.events", "type = 'stock.reserved.v1'") == orders
    assert await auditor.value("SELECT reserved FROM inventory_service.stock") == orders


async def test_a_message_that_comes_twice_has_one_effect(stage: Stage) -> None:
    """Published again, as by a relay that died before it noted the confirm."""
    await stage.offer(rosin=10)
    order = envelope(placed(rosin=1))
    async with stage.runtime("inventory"):
        await send(stage.auditor, order)
        await held_once(stage.auditor, 1)
        await send(stage.auditor, order)
        last = envelope(placed(rosin=1))  # behind the copy, in the same lane: once it is there the copy is through
        await send(stage.auditor, last)
        await held_once(stage.auditor, 2)


async def test_an_event_that_stands_twice_in_one_message_has_one_effect(stage: Stage) -> None:
    """Both copies reach the same batch."""
    await stage.offer(rosin=10)
    twice, once = envelope(placed(rosin=1)), envelope(placed(rosin=1))
    async with stage.runtime("inventory"):
        await send(stage.auditor, twice, once, twice)
        await held_once(stage.auditor, 2)


async def test_two_replicas_that_get_the_same_messages_at_once_have_one_effect(stage: Stage) -> None:
    """The copies of each message go to two replicas by turns."""
    await stage.offer(rosin=ORDERS * COPIES)
    orders = [envelope(placed(rosin=1)) for _ in range(ORDERS)]
    async with stage.runtime("inventory"), stage.runtime("inventory"):
        await asyncio.gather(*(send(stage.auditor, order) for order in orders for _ in range(COPIES)))
        await held_once(stage.auditor, ORDERS)
    await held_once(stage.auditor, ORDERS)  # both are drained: no copy is on its way any more


async def test_of_two_concurrent_batches_one_reacts(stage: Stage) -> None:
    """The same receipt given to two replicas at the same moment: one advances, the other finds it done."""
    async with stage.runtime("inventory") as one, stage.runtime("inventory") as other:
        for rounds in range(1, 21):
            receipt = Item(Envelope(new_id(), ReceiptRequested(receipt_id=new_id(), sku="rosin", quantity=1), new_id()))
            results = await asyncio.gather(one.shell.submit(receipt), other.shell.submit(receipt))
            assert kinds(results) == ["Advanced", "Duplicate"]
            assert await stage.auditor.value("SELECT received FROM inventory_service.stock") == rounds


def kinds(results: Iterable[tuple[Result, ...]]) -> list[str]:
    """Name what came of each batch's only item."""
    return sorted(type(result).__name__ for (result,) in results)
