"""Parts of the topology that go while everything runs: they are back in seconds, and the dance goes on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from infra.native.probes import noted_lately
from shared.topology import Binding
from tests.integration.books import agree
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.integration.test_provider_away import place
from tests.integration.watching import sound, watched
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.outage]

ORDERS = 5
LANE = "payment.stock.reserved"
ONE_OF_TWO = Binding("order.events", "notification.order.confirmed", "order.confirmed")
"""Order's relay is told that all is well without it: inventory's binding is still there."""


@pytest.fixture
async def watch(stage: Stage, tmp_path: Path) -> AsyncIterator[None]:
    async with watched(stage.servers, tmp_path / "looked"):
        yield


async def queue_gone(stage: Stage) -> None:
    """Delete a lane, empty as it is."""
    await stage.auditor.delete(LANE)


async def binding_gone(stage: Stage) -> None:
    """Take one of two bindings away."""
    await stage.auditor.unbind(ONE_OF_TWO)


async def exchange_gone(stage: Stage) -> None:
    """Delete where a service publishes."""
    await stage.auditor.delete_exchange("inventory.events")


async def everything_gone(stage: Stage) -> None:
    """Delete a lane, a delay, and a dead-letter queue, and where another service publishes."""
    for queue in (LANE, "order.delay.1000ms", "inventory.dead"):
        await stage.auditor.delete(queue)
    await stage.auditor.delete_exchange("payment.events")


@pytest.mark.usefixtures("watch")
@pytest.mark.parametrize("go", [queue_gone, binding_gone, exchange_gone, everything_gone], ids=lambda go: go.__name__)
async def test_what_is_gone_comes_back(
    stage: Stage, shop: LocalShop, actors: dict[str, Actor], go: Callable[[Stage], Awaitable[None]]
) -> None:
    """Nobody starts anything again, and orders are confirmed as before, each with its mail."""
    await stage.offer(rosin=ORDERS + 1)
    assert (await shop.bought({"rosin": 1}))["status"] == "confirmed"
    await agree(stage)
    await go(stage)
    await sound(stage.servers)
    await asyncio.gather(*(actor.ready() for actor in actors.values()))
    for order_id in await place(shop, ORDERS):
        assert (await shop.settled(order_id))["status"] == "confirmed"
    await agree(stage)


@pytest.mark.usefixtures("watch")
async def test_what_is_published_meanwhile_is_kept(stage: Stage, shop: LocalShop, actors: dict[str, Actor]) -> None:
    """While a service's exchange is gone its events stay in the outbox; they go out when it is back."""
    await stage.offer(rosin=ORDERS)
    await stage.auditor.delete_exchange("inventory.events")
    order_ids = await place(shop, ORDERS)
    await sound(stage.servers)
    for name in actors:
        await stage.auditor.let_grace_pass(name)
    settled = await asyncio.gather(*map(shop.settled, order_ids))
    assert {order["status"] for order in settled} == {"confirmed"}
    await agree(stage)


async def test_the_watch_outlives_the_broker(stage: Stage, tmp_path: Path) -> None:
    """It looks on when the broker is back, and finds what is deleted then."""
    looked = tmp_path / "looked"
    async with watched(stage.servers, looked):

        async def noted() -> None:
            assert await noted_lately(looked)

        await eventually(noted)
        await stage.servers.broker.kill()
        await stage.servers.broker.start()
        # It consumes, so its queues are led again: RabbitMQ breaks one that is deleted while it elects its leader.
        actor = await stage.start("payment")
        await queue_gone(stage)
        await sound(stage.servers)
        await actor.ready()
