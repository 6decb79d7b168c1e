"""What each service's broker user may do: publish to its own exchanges, consume its own lanes, declare nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel
from aiormq.exceptions import ChannelAccessRefused, PublishError

from infra.ports import HOST, SERVICES
from infra.rabbitmq.users import DASHBOARD, OBSERVER
from infra.topology import TABLES
from services.dashboard.queues import Queues
from shared.topology import lanes_of, news_exchange, news_queue
from tests.integration.auditor import QUEUES
from tests.integration.servers import topology
from tests.integration.stage import Stage

pytestmark = pytest.mark.integration

EXCHANGES = [exchange.name for exchange in topology().exchanges]
LANES = [lane.queue for table in TABLES for lane in lanes_of(table)]
NEWS = aio_pika.Message(b"[]")


@asynccontextmanager
async def channel(stage: Stage, user: str) -> AsyncIterator[AbstractChannel]:
    """Open a channel as a user; it is gone with the first refusal."""
    async with await aio_pika.connect(stage.servers.broker_url(user), timeout=20) as connection:
        yield await connection.channel(on_return_raises=True)


async def publish(
    stage: Stage, user: str, exchange: str, routing_key: str = "nowhere", *, mandatory: bool = False
) -> None:
    """Publish as a user; with another routing key, to where somebody listens."""
    async with channel(stage, user) as own:
        target = await own.get_exchange(exchange, ensure=False)
        await target.publish(NEWS, routing_key, mandatory=mandatory, timeout=20)


async def read(stage: Stage, user: str, queue: str) -> None:
    """Take from a queue as a user."""
    async with channel(stage, user) as own:
        await (await own.get_queue(queue, ensure=False)).get(fail=False, timeout=20)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_publishes_to_its_own_exchanges_alone(stage: Stage, service: str) -> None:
    """To its events, its delays, its returns, which lead to its own lanes alone, its dead letters and its news."""
    everybodys = {*EXCHANGES, *map(news_exchange, SERVICES)}
    own = {name for name in everybodys if name.startswith(f"{service}.")}
    for exchange in own:
        await publish(stage, service, exchange)
    for exchange in (*(everybodys - own), "amq.topic", "amq.fanout"):
        with pytest.raises(ChannelAccessRefused):
            await publish(stage, service, exchange)
    await stage.auditor.wipe()


@pytest.mark.parametrize("user", ["order", "inventory", "notification", OBSERVER])
async def test_nobody_but_payment_says_that_a_payment_was_captured(stage: Stage, user: str) -> None:
    """Not to those who listen to payment; and said anywhere else, nobody hears it."""
    with pytest.raises(ChannelAccessRefused):
        await publish(stage, user, "payment.events", "payment.captured")
    if user in SERVICES:
        with pytest.raises(PublishError):
            await publish(stage, user, f"{user}.events", "payment.captured", mandatory=True)


@pytest.mark.parametrize("service", SERVICES)
async def test_what_a_service_retries_comes_back_to_its_own_lanes_alone(stage: Stage, service: str) -> None:
    """Its return exchange leads to each of them by its name, and to no other's, whatever name is called."""
    back = f"{service}.return"
    for lane in LANES:
        if lane.startswith(f"{service}."):
            await stage.auditor.publish(back, lane, lane.encode())
            assert (await stage.auditor.take(lane)).body == lane.encode()
        else:
            with pytest.raises(PublishError):
                await stage.auditor.publish(back, lane, lane.encode())
    assert await stage.auditor.depths(LANES) == {}


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_reads_its_own_queues_alone(stage: Stage, service: str) -> None:
    """Its lanes, its delays and its dead letters."""
    for queue in QUEUES:
        if queue.startswith(f"{service}."):
            await read(stage, service, queue)
        else:
            with pytest.raises(ChannelAccessRefused):
                await read(stage, service, queue)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_declares_nothing(stage: Stage, service: str) -> None:
    """No queue, no exchange and no binding, not even of its own name; nor does it delete or purge another's."""
    async with channel(stage, service) as own:
        with pytest.raises(ChannelAccessRefused):
            await own.declare_queue(f"{service}.mine", durable=True)
    async with channel(stage, service) as own:
        with pytest.raises(ChannelAccessRefused):
            await own.declare_exchange(f"{service}.mine", durable=True)
    lane = next(name for name in QUEUES if name.startswith(f"{service}."))
    other = next(name for name in EXCHANGES if not name.startswith(f"{service}.") and name.endswith(".events"))
    async with channel(stage, service) as own:
        with pytest.raises(ChannelAccessRefused):
            await (await own.get_queue(lane, ensure=False)).bind(other, "#")
    async with channel(stage, service) as own:
        with pytest.raises(ChannelAccessRefused):
            await own.queue_delete(lane)


async def test_the_dashboard_can_only_read_at_the_broker(stage: Stage) -> None:
    """Its own news, and how deep queues are; it declares and publishes nothing, and takes nothing from a lane."""
    await read(stage, DASHBOARD, news_queue(DASHBOARD))
    for exchange in (*EXCHANGES, *map(news_exchange, SERVICES)):
        with pytest.raises(ChannelAccessRefused):
            await publish(stage, DASHBOARD, exchange)
    for queue in QUEUES:
        with pytest.raises(ChannelAccessRefused):
            await read(stage, DASHBOARD, queue)
    async with channel(stage, DASHBOARD) as own:
        with pytest.raises(ChannelAccessRefused):
            await own.declare_queue("dashboard", timeout=20)
    queues = Queues(f"http://{HOST}:{stage.servers.management_port}", stage.servers.broker_url(DASHBOARD))
    told = await queues.depths()
    await queues.close()
    assert (told.why, set(told.queues) >= set(QUEUES)) == (None, True)
