"""Reservation against release, and buyer against buyer: what is held is held once, and given back once."""

import asyncio
from uuid import UUID

import pytest
import pytest_asyncio

from shared.batch import Item
from shared.ids import new_id
from shared.outcome import Advanced
from shared.vocabulary.inventory import StockReleased, StockReserved
from shared.vocabulary.order import CancelReason, OrderCancelled, OrderPlaced
from tests.integration.asking import bought, cancel
from tests.integration.carrying import carried
from tests.integration.ends import cancelled, ends, events, ignored
from tests.integration.half import Half, replica
from tests.integration.stage import Actor, Stage
from tests.integration.wire import item, placed

pytestmark = pytest.mark.integration

UNASKED = cancelled("customer_request", "voided")
"""Nothing stands in the provider's ledger: the order was cancelled before payment knew that stock is held."""
RESERVATION = "INSERT INTO inventory_service.reservations VALUES ($1, 1, 'released', '[]')"
"""Held by a test, whoever wants to insert that reservation waits; then it never happened."""
STOCK = "SELECT FROM inventory_service.stock WHERE sku = $1 FOR UPDATE"


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order, with notification beside it, one violin to be had, and nobody who holds it or charges."""
    await stage.offer(violin=1)
    return (await stage.start_some("order", "notification"))["order"]


async def placed_and_cancelled(order: Actor, stage: Stage) -> tuple[UUID, Item, Item]:
    """Have an order placed and cancelled before anybody knows of it; give its id and both events."""
    order_id = await bought(order, violin=1)
    await cancel(order, order_id)
    items = [await carried(stage.auditor, kind, order_id) for kind in (OrderPlaced, OrderCancelled)]
    return order_id, items[0], items[1]


async def lines_released(stage: Stage, order_id: UUID) -> int:
    """Count the lines that inventory says it has let go."""
    released = (await carried(stage.auditor, StockReleased, order_id)).envelope.event
    assert isinstance(released, StockReleased)
    return len(released.lines)


async def test_a_release_before_its_reservation(order: Actor, stage: Stage) -> None:
    """Nothing is there to release; that is answered, and the reservation that comes late is refused.

    Safeguard: the tombstone that the release leaves.
    """
    order_id, reserve, release = await placed_and_cancelled(order, stage)
    async with replica(stage, "inventory") as by_hand:
        await by_hand.shell.submit(release)
        await by_hand.shell.submit(reserve)
    await ignored(stage.auditor, "inventory", OrderPlaced.kind.type, "the order was cancelled first")
    await stage.start_some("inventory", "payment")
    await ends(stage, order_id, UNASKED)
    assert await lines_released(stage, order_id) == 0
    assert "stock.reserved.v1" not in await events(stage.auditor, "inventory", order_id)


async def test_a_release_after_its_reservation(order: Actor, stage: Stage) -> None:
    """What was held is for sale again.

    Safeguard: the release gives back every line that is held.
    """
    order_id, reserve, release = await placed_and_cancelled(order, stage)
    async with replica(stage, "inventory") as by_hand:
        await by_hand.shell.submit(reserve)
        assert await stage.auditor.value("SELECT reserved FROM inventory_service.stock") == 1
        await by_hand.shell.submit(release)
    assert await lines_released(stage, order_id) == 1
    async with replica(stage, "payment") as by_hand:  # where the cancellation comes first, too: nobody is asked
        await by_hand.shell.submit(await carried(stage.auditor, OrderCancelled, order_id))
    await stage.start_some("inventory", "payment")
    await ends(stage, order_id, UNASKED)


async def test_a_release_and_its_reservation_at_once_at_two_replicas(order: Actor, stage: Stage) -> None:
    """Neither finds a reservation; one inserts it, and the other sees what it inserted. Nothing stays held.

    Safeguard: an order has one reservation, which is inserted once.
    """
    order_id, reserve, release = await placed_and_cancelled(order, stage)
    async with replica(stage, "inventory") as one, replica(stage, "inventory") as other:
        async with stage.auditor.held(RESERVATION, order_id):
            both = [
                one.shell.submit(reserve),
                other.shell.submit(release),
            ]
            await stage.auditor.waiting("inventory_service", 2)
        await asyncio.gather(*both)
    held = (await events(stage.auditor, "inventory", order_id)).get(StockReserved.kind.type, 0)
    assert await lines_released(stage, order_id) == held
    async with replica(stage, "payment") as by_hand:
        await by_hand.shell.submit(await carried(stage.auditor, OrderCancelled, order_id))
    await stage.start_some("inventory", "payment")
    await ends(stage, order_id, UNASKED)


async def test_a_release_that_comes_again_takes_nothing_from_the_neighbour(stage: Stage) -> None:
    """Two orders hold the same goods; one is released, and again under another id: the other keeps its own.

    Safeguard: a reservation that was released is released no more; the level alone would bear it.
    """
    await stage.offer(violin=6)
    mine, neighbours = placed(violin=3), placed(violin=3)
    gone = OrderCancelled(order_id=mine.order_id, reason=CancelReason.CUSTOMER_REQUEST, email="c@example.org")
    async with replica(stage, "inventory") as one, replica(stage, "inventory") as other:
        await one.shell.submit(item(mine), item(neighbours))
        copy = item(gone)
        for release in (copy, copy, item(gone, new_id())):
            await asyncio.gather(one.shell.submit(release), other.shell.submit(release))
    (row,) = await stage.auditor.rows("SELECT available, reserved, sold FROM inventory_service.stock")
    assert tuple(row) == (3, 3, 0)
    assert (await events(stage.auditor, "inventory", mine.order_id))[StockReleased.kind.type] == 1


@pytest.mark.parametrize("first", [0, 1], ids=["one", "other"])
async def test_two_replicas_want_the_last_unit(stage: Stage, first: int) -> None:
    """Both have read that there is one when the test lets the first of them go: the second finds none.

    Safeguard: the row of the stock is locked, and the row that was read is the row that is written.
    """
    await stage.offer(violin=1)
    orders = [item(placed(violin=1)) for _ in range(2)]
    async with replica(stage, "inventory") as one, replica(stage, "inventory") as other:
        replicas: list[Half] = [one, other] if first == 0 else [other, one]
        async with stage.auditor.held(STOCK, "violin"):
            lined_up = []
            for number, (each, wish) in enumerate(zip(replicas, orders, strict=True), start=1):
                lined_up.append(each.shell.submit(wish))
                await stage.auditor.waiting("inventory_service", number)
        results = [result for (result,) in await asyncio.gather(*lined_up)]
    caused = [type(result.events[0]).__name__ for result in results if isinstance(result, Advanced)]
    assert caused == ["StockReserved", "StockRejected"]
    (row,) = await stage.auditor.rows("SELECT available, reserved FROM inventory_service.stock")
    assert tuple(row) == (0, 1)
