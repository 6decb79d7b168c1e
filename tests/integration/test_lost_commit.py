"""A commit whose answer is lost: the batch runs again, finds that it is done, and nothing happens twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from scripts.shop import Document
from tests.integration.asking import ask
from tests.integration.books import agree, mails_are
from tests.integration.proxy import Proxy, proxied
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage

pytestmark = pytest.mark.integration

NAMES = ("order", "inventory", "payment", "notification")


@asynccontextmanager
async def behind_a_proxy(stage: Stage, name: str) -> AsyncIterator[tuple[Proxy, dict[str, Actor]]]:
    """Start all services, one of them with a proxy before its database."""
    async with proxied(stage.servers.database_port) as (proxy, port):
        direct = f":{stage.servers.database_port}/"
        url = stage.servers.database_url(f"{name}_service").replace(direct, f":{port}/")
        actors = {other: await stage.start(other) for other in NAMES if other != name}
        actors[name] = await stage.start(name, database_url=url)
        try:
            yield proxy, actors
        finally:
            await actors[name].stop()


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("order", "order.placement_requested.v1"),
        ("order", "payment.captured.v1"),
        ("inventory", "order.placed.v1"),
        ("payment", "stock.reserved.v1"),
        ("payment", "payment.charge_answered.v1"),
        ("notification", "order.confirmed.v1"),
    ],
)
async def test_every_effect_is_there_once(stage: Stage, name: str, event: str) -> None:
    """What the commit wrote for others is found by the sweeper and the workers, and the order ends as ever."""
    await stage.offer(bow=1)
    async with behind_a_proxy(stage, name) as (proxy, actors), LocalShop(stage, actors) as shop:
        proxy.lose_commit_of(event)
        order = await shop.place({"bow": 1}, "tok_approved", customer_id := f"c-{uuid4()}")
        await proxy.cut.wait()
        await stage.auditor.let_grace_pass(name)
        await stage.auditor.let_leases_pass(name)
        assert (await shop.settled(order["order_id"]))["status"] == "confirmed"
        await agree(stage)
        await mails_are(stage.outside, f"{customer_id}@example.org", f"Your order {order['order_id']} is confirmed")


async def test_a_command_is_answered_as_if_nothing_had_happened(stage: Stage) -> None:
    """The caller is told of the order that was placed, and told the same under the same key; there is one order."""
    await stage.offer(bow=2)
    async with behind_a_proxy(stage, "order") as (proxy, actors):

        async def place() -> Document:
            answer = await ask(actors["order"], "lost")
            assert answer.status_code == 201
            document: Document = answer.json()
            return document

        proxy.lose_commit_of("order.placement_requested.v1")
        first = await place()
        assert proxy.cut.is_set()
        assert await place() == first
        (row,) = await stage.auditor.rows("SELECT order_id FROM order_service.orders")
        assert str(row["order_id"]) == first["order_id"]
        assert await stage.auditor.count("order_service.events", "type = 'order.placed.v1'") == 1
