"""Everything at once: two replicas of each service, every message twice, a failing provider, connections that break."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage

from infra.ports import SERVICES
from tests.integration.asking import ask_to_cancel
from tests.integration.books import agree
from tests.integration.shop import LocalShop
from tests.integration.stage import Stage
from tests.integration.test_database_gone import place_persistently

pytestmark = pytest.mark.integration

ORDERS = 60
CLIENTS = 10
BREAKS_MAX = 10
COPY = "copy"
TOKENS = ("tok_approved", "tok_approved", "tok_approved", "tok_declined")
BREAK = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1"


@asynccontextmanager
async def everything_twice(stage: Stage) -> AsyncIterator[None]:
    """Publish a copy of every message that any service publishes."""
    async with await stage.auditor.channel() as channel:
        queue = await channel.declare_queue(exclusive=True)

        async def copy(message: AbstractIncomingMessage) -> None:
            if message.app_id != COPY:
                target = await channel.get_exchange(message.exchange or "", ensure=False)
                await target.publish(aio_pika.Message(message.body, app_id=COPY), message.routing_key or "")

        for service in SERVICES:
            await queue.bind(f"{service}.events", "#")
        tag = await queue.consume(copy, no_ack=True)
        yield
        await queue.cancel(tag)


async def test_the_books_agree_after_a_storm(stage: Stage) -> None:
    """Whatever breaks and however often a message comes, every order ends once, and stock and money add up."""
    await stage.offer(rosin=ORDERS, bow=ORDERS // 2)
    actors = await stage.start_all()
    replicas = await stage.start_all()
    chance = random.Random(11)
    todo = [(chance.choice(TOKENS), chance.random() < 0.2) for _ in range(ORDERS)]
    ordered: list[str] = []
    asked = iter(todo)

    async def customer(number: int) -> None:
        order = (actors, replicas)[number % 2]["order"]
        for token, cancels in asked:
            ordered.append(order_id := await place_persistently(order, token))
            if cancels:
                await ask_to_cancel(order, f"/orders/{order_id}")  # it may fail, as everything here

    async def storm(customers: "asyncio.Future[list[None]]") -> None:
        for number in range(BREAKS_MAX):
            await stage.auditor.rows(BREAK, f"{list(SERVICES)[number % len(SERVICES)]}_service")
            await asyncio.wait([customers], timeout=0.2)

    async with everything_twice(stage), LocalShop(stage, actors) as shop:
        async with stage.outside.faults(error_rate=0.2):
            customers = asyncio.gather(*(customer(number) for number in range(CLIENTS)))
            await storm(customers)
            await customers
        for name in SERVICES:  # what a broken connection left to the sweepers and to the end of leases
            await stage.auditor.let_grace_pass(name)
            await stage.auditor.let_leases_pass(name)
        settled = await asyncio.gather(*map(shop.settled, ordered))
        assert [order["order_id"] for order in settled if not order["settled"]] == []
        assert len(set(ordered)) == ORDERS
        assert {order["status"] for order in settled} == {"confirmed", "cancelled"}
        await agree(stage)
    assert stage.auditor.deadlocks() == 0
