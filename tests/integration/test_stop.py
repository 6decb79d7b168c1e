"""A graceful stop in the middle of a load: it is quick, and what was begun is finished, by this process or the next."""

import asyncio
import time
from uuid import uuid4

import pytest

from infra.ports import SERVICES
from tests.integration.books import agree
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.integration.test_database_gone import place_persistently
from tests.integration.waiting import eventually
from tests.integration.wire import envelope, placed, send

pytestmark = pytest.mark.integration

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


async def test_what_was_not_begun_stays_in_its_lane(stage: Stage) -> None:
    """A stop in the middle of a full lane acks what has committed, and nothing else."""
    await stage.offer(rosin=MESSAGES)
    for _ in range(MESSAGES):
        await send(stage.auditor, envelope(placed(rosin=1)))
    actor = await stage.begin("inventory", prefetch_max_messages=1)
    await stop(actor)
    committed = await stage.auditor.count("inventory_service.inbox")
    left = (await stage.auditor.depths(["inventory.order.placed"])).get("inventory.order.placed", 0)
    assert committed + left == MESSAGES
    assert await stage.auditor.count("inventory_service.outbox") == 0
    async with stage.runtime("inventory"):
        await stage.auditor.done("inventory")
    assert await stage.auditor.value("SELECT reserved FROM inventory_service.stock") == MESSAGES


async def test_a_stop_while_the_database_is_away_is_quick_too(stage: Stage) -> None:
    """Nothing can be committed: what was begun goes back to its lane."""
    await stage.offer(rosin=1)
    actor = await stage.start("inventory", drain_timeout_s=2)
    async with stage.auditor.held("LOCK TABLE inventory_service.stock"):
        await send(stage.auditor, envelope(placed(rosin=1)))
        await stage.auditor.waiting("inventory_service")
        await stop(actor)

    async def back() -> None:
        assert await stage.auditor.depths(["inventory.order.placed"]) == {"inventory.order.placed": 1}

    await eventually(back)
    async with stage.runtime("inventory"):
        await stage.auditor.done("inventory")
    assert await stage.auditor.value("SELECT reserved FROM inventory_service.stock") == 1
