"""A graceful stop in the middle of a load: it is quick, and what was begun is finished, by this process or the next."""

import asyncio
import time
from pathlib import Path
from signal import SIGTERM
from uuid import uuid4

import pytest

from infra.ports import SERVICES
from tests.integration.books import agree
from tests.integration.processes import process
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.integration.test_database_gone import place_persistently
from tests.integration.wire import envelope, placed, send
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.outage, pytest.mark.once]

STOP_MAX_S = 10.0
HANDED_OVER_S = 9.0
"""Below every grace and lease: what a process leaves behind in order needs none to end."""
LOAD = 40
MESSAGES = 60


async def stop(actor: Actor) -> None:
    """Stop a replica, in time."""
    began_s = time.monotonic()
    await actor.stop()
    assert time.monotonic() - began_s < STOP_MAX_S


@pytest.mark.parametrize("service", SERVICES)
async def test_a_stop_under_load_loses_nothing(stage: Stage, service: str) -> None:
    """One service after the other is stopped while orders dance, and started anew: every order ends as it must."""
    await stage.offer(rosin=LOAD, bow=LOAD)
    actors = await stage.start_all()
    async with LocalShop(stage, actors) as shop:
        orders = [shop.place({"rosin": 1, "bow": 1}, "tok_approved", f"c-{uuid4()}") for _ in range(LOAD)]
        order_ids = [order["order_id"] for order in await asyncio.gather(*orders)]
    await stop(actors[service])
    actors[service] = await stage.start(service)
    async with LocalShop(stage, actors) as shop:
        settled = await asyncio.wait_for(asyncio.gather(*map(shop.settled, order_ids)), HANDED_OVER_S)
        assert {order["status"] for order in settled} == {"confirmed"}
        await agree(stage)


async def test_a_replica_that_stops_hands_over_to_the_others(stage: Stage) -> None:
    """With a second replica nobody notices: its messages, its intents and its callers' orders are taken over."""
    await stage.offer(rosin=LOAD, bow=LOAD)
    actors = await stage.start_all()
    leaving = await stage.start("order")
    customers = [asyncio.create_task(place_persistently(actors["order"])) for _ in range(LOAD)]
    await stop(leaving)
    order_ids = await asyncio.gather(*customers)
    async with LocalShop(stage, actors) as shop:
        settled = await asyncio.gather(*map(shop.settled, order_ids))
        assert {order["status"] for order in settled} == {"confirmed"}
    await agree(stage)


async def test_a_process_that_is_told_to_stop_exits_cleanly(stage: Stage, tmp_path: Path) -> None:
    """SIGTERM in the middle of its lane: it finishes what it has begun, leaves the rest, and ends of that signal."""
    await stage.offer(rosin=MESSAGES)
    async with process(stage, "inventory", tmp_path) as child:
        for _ in range(MESSAGES):
            await send(stage.auditor, envelope(placed(rosin=1)))
        began_s = time.monotonic()
        assert await child.stop(SIGTERM, 2 * STOP_MAX_S) in (0, -SIGTERM)  # uvicorn raises it again in the end
        assert time.monotonic() - began_s < STOP_MAX_S
    assert await stage.auditor.count("inventory_service.outbox") == 0
    await served_by_the_next(stage, MESSAGES)


async def test_a_process_that_cannot_finish_stops_in_time_too(stage: Stage, tmp_path: Path) -> None:
    """Its batch waits for a lock that nobody lets go: what was begun goes back to its lane, for the next to do."""
    await stage.offer(rosin=1)
    lock = stage.auditor.held("LOCK TABLE inventory_service.stock")
    async with process(stage, "inventory", tmp_path, QUARTET_DRAIN_TIMEOUT_S="4") as child, lock:
        await send(stage.auditor, envelope(placed(rosin=1)))
        await stage.auditor.waiting("inventory_service")
        began_s = time.monotonic()
        await child.stop(SIGTERM, 2 * STOP_MAX_S)
        assert time.monotonic() - began_s < STOP_MAX_S
    await served_by_the_next(stage, 1)


async def served_by_the_next(stage: Stage, orders: int) -> None:
    """Play inventory again until its lanes are empty: every order is held, once."""
    async with stage.runtime("inventory"):

        async def held() -> None:
            assert await stage.auditor.count("inventory_service.inbox", "outcome = 'advanced'") == orders

        await eventually(held)
        await stage.auditor.done("inventory")
    assert await stage.auditor.value("SELECT reserved FROM inventory_service.stock") == orders
