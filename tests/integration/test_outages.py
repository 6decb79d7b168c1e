"""A database or a broker that is stopped or frozen, for however many attempts: it costs time, and no event."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TypeAlias
from uuid import uuid4

import pytest
from loguru import logger

from infra.ports import SERVICES
from tests.integration.asking import ask, is_problem
from tests.integration.books import agree
from tests.integration.health import not_ready
from tests.integration.letters import ATTEMPTS_MAX
from tests.integration.servers import Server
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.integration.test_stop import STOP_MAX_S
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.outage, pytest.mark.usefixtures("short_bounds")]

ORDERS = 12
LINES = [{"sku": "rosin", "quantity": 1}]
BACK_S = 180.0
"""Connections that are given up on by their heartbeats, a grace that passes, a backoff at its longest."""
PATIENT: Mapping[str, float] = {"order_deadline_s": 3_600, "charge_patience_s": 3_600}
"""No order is given up on because an outage took long: what is asked here is whether it goes on."""

Outage: TypeAlias = Callable[[Server], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def stopped(server: Server) -> AsyncIterator[None]:
    """Stop it, and start it again at the end of the block."""
    await server.stop()
    try:
        yield
    finally:
        await server.start()


@asynccontextmanager
async def frozen(server: Server) -> AsyncIterator[None]:
    """Stop it in its tracks until the end of the block: its connections stay open, and nobody answers."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def by_name(outage: object) -> str:
    return getattr(outage, "__name__", str(outage))


@pytest.fixture
def tried_again() -> Iterator[list[str]]:
    """Each time that a batch has to run again."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message), filter=lambda record: "runs again" in record["message"])
    yield lines
    logger.remove(sink)


async def begun(stage: Stage, order: Actor) -> list[str]:
    """Place orders, and give the keys that they were placed under: they are danced when the outage comes."""
    await stage.offer(rosin=2 * ORDERS)
    keys = [str(uuid4()) for _ in range(ORDERS)]
    for answer in await asyncio.gather(*(ask(order, key, lines=LINES) for key in keys)):
        assert answer.status_code == 201
    return keys


async def all_confirmed(stage: Stage, actors: dict[str, Actor], keys: list[str]) -> None:
    """Ask again under all keys, wait for the orders, and insist that nothing was ever taken for a failed attempt."""

    async def placed(key: str) -> str:
        answer = await ask(actors["order"], key, lines=LINES)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["order_id"])

    order_ids = await asyncio.gather(*(eventually(partial(placed, key), BACK_S) for key in keys))
    await stage.auditor.quiescent(deadline_s=BACK_S)
    async with LocalShop(stage, actors) as shop:
        settled = await asyncio.gather(*map(shop.settled, order_ids))
    assert [order["status"] for order in settled] == ["confirmed"] * len(keys)
    await agree(stage)
    for actor in actors.values():
        assert actor.runtime.retry_publisher._connection is None, f"{actor.name} has set an event back"


@pytest.mark.parametrize(("outage", "runs"), [(stopped, ATTEMPTS_MAX + 1), (frozen, 1)], ids=by_name)
async def test_a_database_outage(stage: Stage, tried_again: list[str], outage: Outage, runs: int) -> None:
    """Whoever asks meanwhile is told so, or has their order taken; however often a batch runs, no event is set back."""
    actors = await stage.start_all(**PATIENT)
    keys = await begun(stage, actors["order"])
    more = [str(uuid4()) for _ in range(ORDERS)]
    async with outage(stage.servers.database):
        answers = asyncio.gather(*(ask(actors["order"], key, lines=LINES) for key in more))

        async def long_enough() -> None:
            assert len(tried_again) >= runs

        await eventually(long_enough, BACK_S)
        for answer in await answers:
            is_problem(answer, 503)
        await asyncio.gather(*(not_ready(actor, "database") for actor in actors.values()))
    await asyncio.gather(*(actor.ready() for actor in actors.values()))
    await all_confirmed(stage, actors, keys + more)


@pytest.mark.parametrize("outage", [stopped, frozen], ids=by_name)
async def test_a_broker_outage(stage: Stage, outage: Outage) -> None:
    """Orders are taken all the while, and dance when it is back."""
    actors = await stage.start_all(**PATIENT)
    keys = await begun(stage, actors["order"])
    more = [str(uuid4()) for _ in range(ORDERS)]
    async with outage(stage.servers.broker):
        for answer in await asyncio.gather(*(ask(actors["order"], key, lines=LINES) for key in more)):
            assert answer.status_code == 201, answer.text
        await asyncio.gather(*(not_ready(actor, "broker") for actor in actors.values()))
    await asyncio.gather(*(actor.ready() for actor in actors.values()))
    await all_confirmed(stage, actors, keys + more)


@pytest.mark.once
@pytest.mark.parametrize("which", ["database", "broker"])
@pytest.mark.parametrize("outage", [stopped, frozen], ids=by_name)
async def test_a_stop_during_an_outage(stage: Stage, outage: Outage, which: str) -> None:
    """Every service stops in time all the same, with what it has begun; its next life does the rest."""
    actors = await stage.start_all(**PATIENT)
    keys = await begun(stage, actors["order"])
    async with outage(getattr(stage.servers, which)):
        await asyncio.gather(*(not_ready(actor, which) for actor in actors.values()))
        took_s = await asyncio.gather(*(_stopping_s(actor) for actor in actors.values()))
    assert max(took_s) < STOP_MAX_S, dict(zip(SERVICES, took_s, strict=True))
    await all_confirmed(stage, await stage.start_all(), keys)


async def _stopping_s(actor: Actor) -> float:
    began_s = time.monotonic()
    await actor.stop()
    return time.monotonic() - began_s
