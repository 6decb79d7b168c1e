"""A broker that dies in the middle of a load of orders: nothing is lost, and nobody has to start anything again."""

import asyncio
from uuid import uuid4

import pytest

from tests.integration.books import agree
from tests.integration.health import is_not_ready, not_ready
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.outage]

LOAD = 60
CLIENTS = 8
RECOVERY_S = 180.0
HEARTBEATS_S = 120.0
"""Twice what it takes to miss enough heartbeats."""


async def test_a_killed_broker_costs_a_loaded_system_nothing(
    shop: LocalShop, actors: dict[str, Actor], stage: Stage
) -> None:
    """Orders are taken all the while; once the broker is back, consumers come back and every order ends once.

    So do those of a replica that was started when there was no broker.
    """
    await stage.offer(rosin=LOAD, bow=LOAD // 2)
    warm = await shop.bought({"rosin": 1})
    assert warm["status"] == "confirmed"
    todo, ordered = iter(range(LOAD)), list[str]()
    some = asyncio.Event()

    async def customer() -> None:
        for _ in todo:
            order = await shop.place({"rosin": 1, "bow": 1}, "tok_approved", f"c-{uuid4()}")
            ordered.append(order["order_id"])
            if len(ordered) > LOAD // 3:
                some.set()

    customers = [asyncio.create_task(customer()) for _ in range(CLIENTS)]
    await some.wait()
    await stage.servers.broker.kill()
    await asyncio.gather(*customers)  # order needs no broker to take an order
    await asyncio.gather(*(not_ready(actor, "broker") for actor in actors.values()))
    assert (await actors["order"].http.get("/livez")).status_code == 200
    late = await stage.begin("notification")
    await not_ready(late, "broker")

    await stage.servers.broker.start()
    await asyncio.gather(*(actor.ready() for actor in (*actors.values(), late)))
    for name in actors:
        await stage.auditor.let_grace_pass(name)
    await stage.auditor.quiescent(deadline_s=RECOVERY_S)
    settled = await asyncio.gather(*map(shop.settled, ordered))
    assert all(order["settled"] for order in settled)
    assert [order["status"] for order in settled].count("confirmed") == LOAD // 2
    await agree(stage)


async def test_a_frozen_broker_is_noticed(shop: LocalShop, actors: dict[str, Actor], stage: Stage) -> None:
    """Its connections stay open and nobody answers: not ready, and ready again by themselves once it goes on."""
    await stage.offer(rosin=2)
    assert (await shop.bought({"rosin": 1}))["status"] == "confirmed"
    stage.servers.broker.freeze()
    try:
        await asyncio.gather(*(not_ready(actor, "broker") for actor in actors.values()))
        placed = await shop.place({"rosin": 1}, "tok_approved", f"c-{uuid4()}")
    finally:
        stage.servers.broker.thaw()
    await recovered(shop, actors, stage, placed["order_id"])


@pytest.mark.usefixtures("short_bounds")
async def test_a_broker_that_misses_its_heartbeats(shop: LocalShop, actors: dict[str, Actor], stage: Stage) -> None:
    """Connections are given up on, the answer is "not ready" all the while, and they are made again by themselves."""
    await stage.offer(rosin=2)
    assert (await shop.bought({"rosin": 1}))["status"] == "confirmed"
    stage.servers.broker.freeze()
    try:
        placed = await shop.place({"rosin": 1}, "tok_approved", f"c-{uuid4()}")
        await asyncio.gather(*map(connections_lost, actors.values()))
    finally:
        stage.servers.broker.thaw()
    await recovered(shop, actors, stage, placed["order_id"])


async def connections_lost(actor: Actor) -> None:
    """Ask whether it is ready until it has given its connection up: all the while the answer is that it is not."""

    async def look() -> None:
        verdicts = await is_not_ready(actor, "broker")
        assert not verdicts["broker"].startswith("TimeoutError"), "it still waits for an answer"

    await eventually(look, HEARTBEATS_S)


async def recovered(shop: LocalShop, actors: dict[str, Actor], stage: Stage, order_id: str) -> None:
    """Wait until everybody is ready, and an order that was placed meanwhile is confirmed."""
    await asyncio.gather(*(actor.ready() for actor in actors.values()))
    for name in actors:
        await stage.auditor.let_grace_pass(name)
    assert (await shop.settled(order_id))["status"] == "confirmed"
    await agree(stage)
