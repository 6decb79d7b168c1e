"""Consumers that went come back by themselves, each replica its own; and while they are away it says so."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest

from infra.ports import HOST
from infra.rabbitmq.users import TOPOLOGY, VHOST
from shared.broker.declare import declare_at
from tests.integration.health import not_ready
from tests.integration.servers import PASSWORD, topology
from tests.integration.stage import Actor, Stage
from tests.integration.wire import envelope, placed, send
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.outage, pytest.mark.usefixtures("short_bounds")]

LANE = "inventory.order.placed"
OTHERS = ("inventory.order.confirmed", "inventory.order.cancelled", "inventory.dead")
BACK_S = 180.0
"""A look at the consumers every few seconds, of which some lead to nothing."""
EVENTS = 3


async def replicas(stage: Stage, count: int) -> list[Actor]:
    """Start so many replicas of inventory."""
    return [await stage.start("inventory") for _ in range(count)]


async def all_consume(stage: Stage, actors: list[Actor]) -> None:
    """Wait until each replica is a consumer of each queue, by its own word and the broker's; then have it consume.

    What a broker forgets of a queue that was deleted and declared again at once, is declared meanwhile.
    """

    async def look() -> None:
        for actor in actors:
            assert await actor.runtime.consuming.idle() == frozenset()
        async with await stage.auditor.channel() as channel:
            for queue in (LANE, *OTHERS):
                declared = await channel.declare_queue(queue, passive=True)
                assert declared.declaration_result.consumer_count == len(actors), queue

    async def persistently() -> None:
        try:
            await declare_at(topology(), stage.servers.broker_url("topology"))  # as the watch over the topology does
            await look()
        except Exception as error:
            raise AssertionError(f"not yet: {error!r}") from error

    await eventually(persistently, BACK_S)
    await asyncio.gather(*(actor.ready() for actor in actors))
    await stage.offer(rosin=EVENTS)
    for _ in range(EVENTS):
        await send(stage.auditor, envelope(placed(rosin=1)))

    async def reserved() -> None:
        assert await stage.auditor.count("inventory_service.inbox", "outcome = 'advanced'") == EVENTS

    await eventually(reserved)


async def queue_anew(stage: Stage, _: list[Actor]) -> None:
    """Delete a queue under its consumers, and declare it again."""
    await stage.auditor.delete(LANE)
    await declare_at(topology(), stage.servers.broker_url("topology"))


async def all_queues_anew(stage: Stage, _: list[Actor]) -> None:
    """Delete all queues of the service, and declare them again."""
    for queue in (LANE, *OTHERS):
        await stage.auditor.delete(queue)
    await declare_at(topology(), stage.servers.broker_url("topology"))


async def broker_anew(stage: Stage, _: list[Actor]) -> None:
    """Kill the broker, and start it again."""
    await stage.servers.broker.kill()
    await stage.servers.broker.start()


async def connections_closed(stage: Stage, actors: list[Actor]) -> None:
    """Have the management interface close the connections that consume, as an operator would."""
    auth = (TOPOLOGY, PASSWORD)
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{stage.servers.management_port}/api", auth=auth) as http:

        async def listed() -> set[str]:
            answer = (await http.get(f"/vhosts/{VHOST}/connections")).json()
            named: list[Mapping[str, Any]] = [one for one in answer if "client_properties" in one]
            ours = "quartet inventory consumers"
            return {one["name"] for one in named if one["client_properties"].get("connection_name") == ours}

        async def all_listed() -> set[str]:
            names = await listed()
            assert len(names) == len(actors)
            return names

        names = await eventually(all_listed)
        for name in names:
            (await http.delete(f"/connections/{name}")).raise_for_status()

        async def others_listed() -> None:
            assert not names & await listed()

        await eventually(others_listed)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    "fault", [queue_anew, all_queues_anew, broker_anew, connections_closed], ids=lambda fault: fault.__name__
)
async def test_consumers_come_back(
    stage: Stage, fault: Callable[[Stage, list[Actor]], Awaitable[None]], count: int
) -> None:
    """Whatever took them away at the broker."""
    actors = await replicas(stage, count)
    await fault(stage, actors)
    await all_consume(stage, actors)


def subscribers_of(actor: Actor) -> dict[str, Any]:
    """The subscribers of a replica, by queue."""
    return {subscriber.queue.name: subscriber for subscriber in actor.runtime.consumers.broker.subscribers}  # type: ignore[attr-defined]  # a RabbitSubscriber's


@pytest.mark.parametrize("count", [1, 2])
async def test_a_consumer_that_went_unnoticed(stage: Stage, count: int) -> None:
    """As in aio-pika's issue 231: the client believes that it consumes. It is seen, though another replica does.

    The replica that lost it says so, the other one does not; it is subscribed to anew, and its other lanes go on.
    """
    actors = await replicas(stage, count)
    lost = subscribers_of(actors[0])
    tags = {name: subscriber._consumer_tag for name, subscriber in lost.items()}
    channel = await lost[LANE]._queue_obj.channel.get_underlay_channel()
    await channel.basic_cancel(tags[LANE])
    await not_ready(actors[0], "broker")
    for other in actors[1:]:
        await other.ready()
    await all_consume(stage, actors)
    assert {name for name, subscriber in lost.items() if subscriber._consumer_tag != tags[name]} == {LANE}


async def test_a_connection_that_nobody_makes_again(stage: Stage) -> None:
    """Where subscribing anew does not help, the replica connects anew."""
    actors = await replicas(stage, 2)
    connection: Any = actors[0].runtime.consumers.broker._connection
    await connection.close()
    await not_ready(actors[0], "broker")
    await actors[1].ready()
    await all_consume(stage, actors)
