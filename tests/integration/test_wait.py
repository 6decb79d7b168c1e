"""`GET /orders/ID?wait=…`: the caller is told when the order is settled, by whichever replica settled it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import event

from shared.ids import new_id
from shared.vocabulary.inventory import StockCommitted
from shared.vocabulary.money import Money
from shared.vocabulary.payment import PaymentCaptured
from tests.integration.asking import ask
from tests.integration.half import Half, half
from tests.integration.shop import LocalShop
from tests.integration.stage import AS_OPERATOR, Actor, Stage
from tests.integration.wire import item
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.once]

NEVER_S = 10.0
"""The longest that the look for other replicas' commits can be put off."""
POLL_S = 0.05
WAITERS = 60
LOOKS = 8


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order with its catalogue, and nobody else."""
    await stage.offer()
    return await stage.start("order", wait_poll_s=POLL_S)


async def placed(order: Actor) -> UUID:
    """Place an order."""
    return UUID((await ask(order, str(new_id()))).json()["order_id"])


async def settle(replica: Half, order_id: UUID) -> None:
    """Have a replica hear all that settles an order."""
    money = Money(amount=45_000, currency="EUR")
    await replica.shell.submit(item(PaymentCaptured(order_id=order_id, money=money, charge_id="ch_1")))
    await replica.shell.submit(item(StockCommitted(order_id=order_id, lines=())))


async def wait_for(order: Actor, order_id: UUID, wait_s: float = 20.0) -> dict[str, Any]:
    """Wait for an order as its customer does."""
    answer = await order.http.get(f"/orders/{order_id}", params={"wait": wait_s}, headers=AS_OPERATOR)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


@contextmanager
def counted(order: Actor) -> Iterator[list[str]]:
    """Collect the statements that a replica sends to its database about orders."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "FROM orders" in statement:
            statements.append(statement)

    engine = order.runtime.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_a_caller_is_told_by_this_replicas_own_commit(stage: Stage) -> None:
    """At once: the look for what others commit would come much later."""
    await stage.offer(bow=1)
    actors = await stage.start_all(wait_poll_s=NEVER_S)
    async with LocalShop(stage, actors) as shop:
        began_s = time.monotonic()
        assert (await shop.bought({"bow": 1}))["settled"]
        assert time.monotonic() - began_s < NEVER_S / 2


async def test_a_caller_is_told_of_another_replicas_commit(order: Actor, stage: Stage) -> None:
    """Which this replica never hears of but in the database."""
    order_id = await placed(order)
    async with half(stage, "order") as other:
        waiting = asyncio.create_task(wait_for(order, order_id))
        await settle(other, order_id)
        document = await asyncio.wait_for(waiting, NEVER_S)
    assert (document["status"], document["settled"]) == ("confirmed", True)


async def test_a_caller_waits_no_longer_than_asked(order: Actor) -> None:
    """Then the order is shown as it is."""
    order_id = await placed(order)
    began_s = time.monotonic()
    document = await wait_for(order, order_id, 0.3)
    assert (document["status"], document["settled"]) == ("pending", False)
    assert 0.3 <= time.monotonic() - began_s < 5


async def test_however_many_wait_one_look_is_taken(order: Actor, stage: Stage) -> None:
    """A look is one statement for all of them, and when nobody waits none is taken."""
    order_ids = await asyncio.gather(*(placed(order) for _ in range(WAITERS)))
    with counted(order) as arriving:
        waiting = [asyncio.create_task(wait_for(order, order_id)) for order_id in order_ids]

        async def arrived() -> None:
            assert len(arriving) >= 2

        await eventually(arrived)
    with counted(order) as looks:
        began_s = time.monotonic()

        async def looked() -> None:
            assert len(looks) >= LOOKS

        await eventually(looked)
        elapsed_s = time.monotonic() - began_s
        assert len(looks) <= elapsed_s / POLL_S + 2, "more looks than one each time"
    async with half(stage, "order") as other:
        for order_id in order_ids:
            await settle(other, order_id)
        documents = await asyncio.gather(*waiting)
    assert all(document["settled"] for document in documents)
    with counted(order) as idle:
        await wait_for(order, order_ids[0])  # one look, for itself
    assert len(idle) == 1


async def test_a_caller_who_goes_away_is_forgotten(order: Actor) -> None:
    """Nothing is looked for on behalf of those who hung up."""
    order_id = await placed(order)
    waiting = [asyncio.create_task(wait_for(order, order_id)) for _ in range(3)]
    with counted(order) as looks:

        async def looked() -> None:
            assert looks

        await eventually(looked)
    for caller in waiting:
        caller.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    with counted(order) as looks:
        assert (await wait_for(order, order_id, POLL_S * 5))["status"] == "pending"
        taken = len(looks)

        async def quiet() -> None:
            assert (await order.http.get("/livez")).status_code == 200

        for _ in range(50):
            await eventually(quiet)
        assert len(looks) <= taken + 1
