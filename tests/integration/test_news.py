"""What a passive listener hears: at once, on a queue that stays short, and at no cost to those who dance."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import aio_pika
import httpx
import pytest
from aio_pika.exceptions import AMQPError

from infra.ports import HOST
from infra.rabbitmq.users import DASHBOARD, TOPOLOGY
from infra.topology import TABLES
from services.dashboard import ear, follower
from shared.broker.declare import declare_at
from shared.topology import NEWS_MAX_MESSAGES, listening_to, news_exchange, news_queue
from tests.integration.dashboards import GOODS, bought, dashboard, logged, told
from tests.integration.servers import PASSWORD
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.waiting import eventually

pytestmark = pytest.mark.integration

QUEUE = news_queue("dashboard")
FOR_EVER_S = 600.0
SOON_S = 10.0
"""Far above what a look takes on a busy machine, far below any other reason to look."""


async def test_news_make_the_dashboard_look(
    stage: Stage, actors: dict[str, Actor], shop: LocalShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it would else look once in ten minutes, it knows of a whole order within seconds of its end."""
    monkeypatch.setattr(follower, "QUIET_MOST_S", FOR_EVER_S)
    await stage.offer(**GOODS)
    async with dashboard(stage, actors):
        await eventually(partial(consumed, stage))
        await bought(stage, shop)
        await eventually(partial(all_told, stage), SOON_S)


async def broker_anew(stage: Stage) -> None:
    """Kill the broker, and start it again."""
    await stage.servers.broker.kill()
    await stage.servers.broker.start()


async def connections_closed(stage: Stage) -> None:
    """Have the broker close every connection of the dashboard's."""
    url = f"http://{HOST}:{stage.servers.management_port}/api"
    async with httpx.AsyncClient(base_url=url, auth=(TOPOLOGY, PASSWORD), timeout=20) as http:

        async def listed() -> list[str]:
            names = [each["name"] for each in (await http.get("/connections")).json() if each.get("user") == DASHBOARD]
            assert names
            return names

        for name in await eventually(listed):
            (await http.delete(f"/connections/{name}")).raise_for_status()


async def queue_gone(stage: Stage) -> None:
    """Delete the queue; it is declared again below, as the watch over the topology does."""
    await stage.auditor.delete(QUEUE)


@pytest.mark.outage
@pytest.mark.parametrize("go", [broker_anew, connections_closed, queue_gone], ids=lambda go: go.__name__)
async def test_hearing_comes_back(
    stage: Stage,
    actors: dict[str, Actor],
    shop: LocalShop,
    monkeypatch: pytest.MonkeyPatch,
    go: Callable[[Stage], Awaitable[None]],
) -> None:
    """Whatever took it away: services tell again, and the dashboard hears them again."""
    monkeypatch.setattr(follower, "QUIET_MOST_S", FOR_EVER_S)
    await stage.offer(**GOODS)
    async with dashboard(stage, actors):
        await eventually(partial(consumed, stage))
        await go(stage)
        await eventually(partial(consumed, stage))
        await asyncio.gather(*(actor.ready() for actor in actors.values()))
        await bought(stage, shop)
        await eventually(partial(all_told, stage), SOON_S)


@pytest.mark.outage
async def test_who_consumes_no_more_listens_anew(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nobody tells: it looks for itself, and does not say meanwhile that it hears."""
    monkeypatch.setattr(ear, "LOOK_INTERVAL_S", 0.2)
    listening = ear.Ear(stage.servers.broker_url(DASHBOARD), ["order"])
    assert not listening.hears
    running = asyncio.create_task(listening.run())
    await eventually(partial(consumed, stage))
    await eventually(partial(hears, listening))
    queue: Any = listening._queue
    await queue.cancel(*queue._consumers)
    await eventually(partial(hears, listening, False))
    await eventually(partial(hears, listening))
    await consumed(stage)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert not listening.hears


async def hears(listening: ear.Ear, wanted: bool = True) -> None:
    """Look whether it says that it hears."""
    assert listening.hears is wanted


async def consumed(stage: Stage) -> None:
    """Look whether the dashboard consumes its queue."""
    try:
        await declare_at(listening_to(TABLES), stage.servers.broker_url("topology"))
        async with await stage.auditor.channel() as channel:
            queue = await channel.declare_queue(QUEUE, passive=True)
    except (AMQPError, OSError, TimeoutError) as error:
        raise AssertionError(f"not yet: {error!r}") from error
    assert queue.declaration_result.consumer_count == 1


async def all_told(stage: Stage) -> None:
    """Look whether the dashboard has every event."""
    assert await logged(stage) == await told(stage)


async def test_deaf_it_looks_all_the_same(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """Without a broker to hear news from, and with a queue that is gone."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors, broker_url=None) as board:
        await bought(stage, shop)
        await board.caught_up()
    await stage.auditor.delete(QUEUE)
    try:
        async with dashboard(stage, actors) as board:
            await bought(stage, shop)
            await board.caught_up()
    finally:
        await declare_at(listening_to(TABLES), stage.servers.broker_url("topology"))


async def test_what_nobody_hears_is_dropped_the_oldest_first(stage: Stage) -> None:
    """The queue holds so many and no more, and they are the last ones; a publish of news is never refused."""
    async with await aio_pika.connect(stage.servers.broker_url("order"), timeout=20) as connection:
        news = await (await connection.channel()).get_exchange(news_exchange("order"), ensure=False)
        for number in range(NEWS_MAX_MESSAGES + 20):
            await news.publish(aio_pika.Message(b"%d" % number), "", mandatory=False, timeout=20)
    async with await aio_pika.connect(stage.servers.broker_url("dashboard"), timeout=20) as connection:
        queue = await (await connection.channel()).get_queue(QUEUE, ensure=False)
        kept = []
        while (message := await queue.get(no_ack=True, fail=False, timeout=20)) is not None:
            kept.append(int(message.body))
    assert kept == list(range(20, NEWS_MAX_MESSAGES + 20))


async def test_without_a_way_to_tell_news_the_dance_goes_on(
    stage: Stage, actors: dict[str, Actor], shop: LocalShop
) -> None:
    """Where the exchange is gone no order waits for it; where it is back, listeners are told again."""
    await stage.offer(**GOODS)
    for table in TABLES:
        await stage.auditor.delete_exchange(news_exchange(table.service))
    try:
        await bought(stage, shop)
    finally:
        await declare_at(listening_to(TABLES), stage.servers.broker_url("topology"))
    await stage.auditor.purge(QUEUE)

    async def heard() -> None:
        await bought(stage, shop)
        assert await stage.auditor.depths([QUEUE])

    await eventually(heard)
