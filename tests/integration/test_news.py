"""What a passive listener hears: at once, on a queue that stays short, and at no cost to those who dance."""

import aio_pika
import pytest

from infra.topology import TABLES
from services.dashboard import follower
from shared.broker.declare import declare_at
from shared.topology import NEWS_MAX_MESSAGES, listening_to, news_exchange, news_queue
from tests.integration.dashboards import GOODS, bought, dashboard, logged, told
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
    async with dashboard(stage, actors) as board:

        async def hears() -> None:
            assert board.parts.ear.hears

        await eventually(hears)
        await bought(stage, shop)

        async def look() -> None:
            assert await logged(stage) == await told(stage)

        await eventually(look, SOON_S)


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

    async def heard() -> None:
        await bought(stage, shop)
        assert await stage.auditor.depths([QUEUE])

    await eventually(heard)
