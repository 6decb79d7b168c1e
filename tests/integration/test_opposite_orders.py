"""Two replicas whose batches want the same rows in opposite orders: they wait for each other, and never deadlock.

In each test somebody else holds the row in the middle until both batches wait. Taken in opposite orders, each half
would then be held by one of them.
"""

import asyncio
from collections.abc import Sequence

import pytest

from services.inventory.events import ReceiptRequested
from shared.batch import Duplicate, Item, Result
from shared.envelope import Envelope
from shared.ids import new_id
from shared.outcome import Advanced
from shared.vocabulary.inventory import StockReleased, StockReserved
from shared.vocabulary.order import CancelReason, OrderCancelled
from tests.integration.stage import Stage
from tests.integration.wire import item, placed

pytestmark = pytest.mark.integration

ROWS = 100
FREE_ROUNDS = 5
SKUS = tuple(f"sku-{number:03}" for number in range(ROWS))
MIDDLE = SKUS[ROWS // 2]

Results = Sequence[Sequence[Result]]


def receipt(sku: str) -> Item:
    """One piece of a SKU arrives."""
    return Item(Envelope(new_id(), ReceiptRequested(receipt_id=new_id(), sku=sku, quantity=1), new_id()))


async def both(stage: Stage, there: Sequence[Item], back: Sequence[Item], held: str, *arguments: object) -> Results:
    """Give two replicas a batch each while the statement `held` is open; close it once both wait for a lock."""
    async with stage.runtime("inventory") as one, stage.runtime("inventory") as other:
        async with stage.auditor.held(held, *arguments):
            batches = asyncio.gather(one.shell.submit(*there), other.shell.submit(*back))
            await stage.auditor.waiting("inventory_service", 2)
        return await batches


async def test_the_same_new_events_in_opposite_orders(stage: Stage) -> None:
    """Every event is reacted to by one of the two, whatever the order of their batches."""
    await stage.offer(rosin=ROWS)
    items = [item(placed(rosin=1)) for _ in range(ROWS)]
    middle = sorted(one.envelope.event_id for one in items)[ROWS // 2]
    there, back = await both(
        stage, items, items[::-1], "INSERT INTO inventory_service.inbox (event_id, type) VALUES ($1, 'other')", middle
    )
    for result, copy in zip(there, back[::-1], strict=True):
        assert {type(result), type(copy)} == {Advanced, Duplicate}
    assert await stage.auditor.value("SELECT reserved FROM inventory_service.stock") == ROWS
    assert await stage.auditor.count("inventory_service.inbox") == ROWS
    assert stage.auditor.deadlocks() == 0


async def test_the_same_goods_in_opposite_orders(stage: Stage) -> None:
    """Orders of the same goods, named from the first to the last and from the last to the first."""
    await stage.offer(**dict.fromkeys(SKUS, 2))
    there = [item(placed(**{sku: 1})) for sku in SKUS]
    back = [item(placed(**{sku: 1})) for sku in reversed(SKUS)]
    results = await both(stage, there, back, "SELECT FROM inventory_service.stock WHERE sku = $1 FOR UPDATE", MIDDLE)
    assert all(isinstance(result, Advanced) for batch in results for result in batch)
    assert await stage.auditor.count("inventory_service.stock", "reserved = received") == ROWS
    assert stage.auditor.deadlocks() == 0


async def test_the_same_new_goods_in_opposite_orders(stage: Stage) -> None:
    """Goods that nobody has heard of arrive at two replicas at once: both receipts count."""
    there, back = [receipt(sku) for sku in SKUS], [receipt(sku) for sku in reversed(SKUS)]
    results = await both(
        stage, there, back, "INSERT INTO inventory_service.stock VALUES ($1, 1, 0, 0, 0, 0, 0)", MIDDLE
    )
    assert all(isinstance(result, Advanced) for batch in results for result in batch)
    assert await stage.auditor.count("inventory_service.stock", "received = 2 AND receipts = 2") == ROWS
    assert stage.auditor.deadlocks() == 0


async def test_opposite_batches_that_nobody_holds_up(stage: Stage) -> None:
    """The same again with nothing in between, as often as time allows."""
    await stage.offer(**dict.fromkeys(SKUS, 2 * FREE_ROUNDS))
    async with stage.runtime("inventory") as one, stage.runtime("inventory") as other:
        for _ in range(FREE_ROUNDS):
            there = [item(placed(**{sku: 1})) for sku in SKUS]
            back = [item(placed(**{sku: 1})) for sku in reversed(SKUS)]
            results = await asyncio.gather(one.shell.submit(*there), other.shell.submit(*back, *there[::-1]))
            advanced = [result for batch in results for result in batch if isinstance(result, Advanced)]
            assert len(advanced) == 2 * ROWS
    assert await stage.auditor.count("inventory_service.stock", "reserved = received") == ROWS
    assert stage.auditor.deadlocks() == 0


async def test_a_decision_waits_for_who_changes_what_it_rests_on(stage: Stage) -> None:
    """The last piece is being released while somebody else wants it: whoever asked in that moment is not refused."""
    await stage.offer(violin=1)
    async with stage.runtime("inventory") as one, stage.runtime("inventory") as other:
        holder = placed(violin=1)
        gone = OrderCancelled(order_id=holder.order_id, reason=CancelReason.CUSTOMER_REQUEST, email="c@example.org")
        await one.shell.submit(item(holder))
        async with stage.auditor.held("SELECT FROM inventory_service.stock WHERE sku = 'violin' FOR UPDATE"):
            releasing = one.shell.submit(item(gone))
            await stage.auditor.waiting("inventory_service", 1)
            wanting = other.shell.submit(item(placed(violin=1)))
            await stage.auditor.waiting("inventory_service", 2)
        told = [each.events[0] for (each,) in await asyncio.gather(releasing, wanting) if isinstance(each, Advanced)]
    assert [type(event) for event in told] == [StockReleased, StockReserved]
