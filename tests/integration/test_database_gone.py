"""A database that goes away in the middle of a batch: the same batch runs again, and nothing is set aside."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from shared.envelope import Envelope
from shared.topology import dead_exchange, delay_exchange
from tests.integration.asking import ask
from tests.integration.books import agree
from tests.integration.servers import TIERS_MS
from tests.integration.shop import APPROVED, LocalShop
from tests.integration.stage import Actor, Stage
from tests.integration.wire import envelope, placed, send
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.outage]

ORDERS = 30
LOAD = 60
CLIENTS = 10
LOAD_DEADLINE_S = 180.0

End = Callable[[Stage], Awaitable[None]]


async def end_backends(stage: Stage) -> None:
    """End inventory's connections, as a failover or an administrator would."""
    await stage.auditor.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'inventory_service'"
    )


async def kill_and_restart(stage: Stage) -> None:
    """Kill the whole server as a power cut would, and start it again on the same data."""
    await stage.servers.database.kill()
    await stage.servers.database.start()


@asynccontextmanager
async def in_the_middle_of_a_batch(stage: Stage, orders: list[Envelope]) -> AsyncIterator[None]:
    """Have a batch of inventory's wait for the stock: its inbox rows are written, nothing is committed."""
    async with stage.auditor.held("LOCK TABLE inventory_service.stock"):
        await send(stage.auditor, *orders)
        await stage.auditor.waiting("inventory_service")
        yield


@pytest.mark.parametrize("end", [end_backends, kill_and_restart], ids=lambda end: end.__name__)
async def test_a_batch_that_loses_its_database_runs_again(stage: Stage, end: End) -> None:
    """Everything commits once afterwards; no attempt is counted and no event goes the way of failures."""
    await stage.offer(bow=ORDERS)
    orders = [envelope(placed(bow=1)) for _ in range(ORDERS)]
    failures = (delay_exchange("inventory", TIERS_MS[0]), dead_exchange("inventory"))
    async with stage.runtime("inventory"), stage.auditor.overheard(*failures) as overheard:
        async with in_the_middle_of_a_batch(stage, orders):
            await end(stage)

        async def committed() -> None:
            assert await stage.auditor.count("inventory_service.inbox", "outcome = 'advanced'") == ORDERS

        await eventually(committed)
        await stage.auditor.done("inventory")
        assert await overheard() == 0
    (stock,) = await stage.auditor.rows("SELECT available, reserved FROM inventory_service.stock")
    assert tuple(stock) == (0, ORDERS)
    assert await stage.auditor.count("inventory_service.events", "type = 'stock.reserved.v1'") == ORDERS


async def test_a_killed_database_costs_a_loaded_system_nothing(
    shop: LocalShop, actors: dict[str, Actor], stage: Stage
) -> None:
    """Customers who ask again with the same key get every order placed once, and all of them end as they must."""
    await stage.offer(rosin=LOAD, bow=LOAD // 2)
    todo, ordered = iter(range(LOAD)), list[str]()
    some = asyncio.Event()

    async def customer() -> None:
        for _ in todo:
            ordered.append(await place_persistently(actors["order"]))
            if len(ordered) > LOAD // 4:
                some.set()

    customers = [asyncio.create_task(customer()) for _ in range(CLIENTS)]
    await some.wait()
    await kill_and_restart(stage)
    await asyncio.gather(*customers)
    await stage.auditor.quiescent(deadline_s=LOAD_DEADLINE_S)
    settled = await asyncio.gather(*map(shop.settled, ordered))
    assert [order["status"] for order in settled].count("confirmed") == LOAD // 2
    assert await stage.auditor.count("order_service.orders") == LOAD
    await agree(stage)


async def place_persistently(order: Actor, token: str = APPROVED) -> str:
    """Place an order, and ask again under the same key until it is answered."""
    lines = [{"sku": "rosin", "quantity": 1}, {"sku": "bow", "quantity": 1}]
    key = str(uuid4())

    async def answered() -> str:
        answer = await ask(order, key, lines=lines, payment_token=token)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["order_id"])

    return await eventually(answered, LOAD_DEADLINE_S)
