"""The dashboard's picture, held against the logs of the services; and what one finds and does there."""

import asyncio
import time
from collections import Counter
from contextlib import AsyncExitStack
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from infra.topology import TABLES
from tests.integration.dashboards import GOODS, MIXED, Dashboard, bought, dashboard, logged, tables, told
from tests.integration.outside import OPERATOR_KEY
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.pictures import SHOWN, STANDING
from tests.waiting import eventually

pytestmark = pytest.mark.integration

LATER_S = 1.5
PAYMENTS = {"payment.order.placed", "payment.stock.reserved"}
LEFT = " UNION ALL ".join(
    f"SELECT '{table.service}', '{kept}', type, count(*) FROM {table.service}_service.{kept}"  # noqa: S608 - ours
    f" WHERE type IN ({', '.join(repr(event.kind.type) for event in events)}) GROUP BY type"
    for table in TABLES
    for kept, events in (("events", table.published), ("inbox", table.consumed))
    if events
)
"""What the dance leaves with each service. Which of its own events a service logs is a matter of what comes first."""


async def standing(stage: Stage) -> set[tuple[Any, ...]]:
    """Read how order itself has every order, in the dashboard's words."""
    return {tuple(row) for row in await stage.auditor.rows(STANDING)}


async def shown(stage: Stage) -> set[tuple[Any, ...]]:
    """Read the same as the dashboard has it."""
    return {tuple(row) for row in await stage.auditor.rows(SHOWN)}


async def test_the_picture_is_what_was_logged(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """While orders go through; every event once, and every order as it ended."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as board:
        await bought(stage, shop, rounds=3)
        await board.caught_up()
        assert await shown(stage) == await standing(stage)
        counts = (await board.json("/api/stage"))["orders"]
        assert counts["completed"] + counts["compensated"] == len(await standing(stage))
        assert counts["stuck"] == 0


async def test_away_and_back(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """What happened while it was away it reads when it comes back; nobody has waited for it."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as board:
        await bought(stage, shop)
        await board.caught_up()
    await bought(stage, shop, rounds=2)
    assert await logged(stage) > await told(stage)
    async with dashboard(stage, actors) as board:
        await board.caught_up()
    assert await shown(stage) == await standing(stage)


async def test_the_dance_is_the_same_without_it(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """Watched and unwatched, orders of the same kinds leave the same events with their owners and in the inboxes."""
    await stage.offer(**GOODS)
    watched = await left_by(stage, shop, actors)
    unwatched = await left_by(stage, shop, {})
    assert watched == unwatched
    assert len(watched) > len(MIXED)


async def left_by(stage: Stage, shop: LocalShop, watched: dict[str, Actor]) -> Counter[tuple[Any, ...]]:
    """Have orders go through, and count what more of everything there is; somebody looks on where they are watched."""
    before = await everything(stage)
    async with AsyncExitStack() as looking_on:
        if watched:
            board = await looking_on.enter_async_context(dashboard(stage, watched))
            looking = asyncio.create_task(look_on(board))
            looking_on.callback(looking.cancel)
        await asyncio.gather(*(shop.bought(lines, token) for lines, token in MIXED * 2))
        await stage.auditor.quiescent()
        if watched:
            await board.caught_up()
            assert not looking.done()
    return await everything(stage) - before


async def look_on(board: Dashboard) -> None:
    """Be told the news, as a browser is."""
    async for _ in board.parts.hub.listen():
        pass


async def everything(stage: Stage) -> Counter[tuple[Any, ...]]:
    """Count what there is of each kind."""
    return Counter({tuple(row)[:-1]: row["count"] for row in await stage.auditor.rows(LEFT)})


async def test_a_lane_tells_its_events(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """So many wait for payment, and since the first of them; none once it is back."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as board:
        await actors.pop("payment").stop()

        async def look(events: int) -> dict[str, Any]:
            lanes = {lane["lane"]: lane for lane in (await board.json("/api/stage"))["lanes"]}
            assert {name for name, lane in lanes.items() if lane["events"]} == (PAYMENTS if events else set())
            assert all(lanes[name]["events"] == events for name in PAYMENTS)
            lane: dict[str, Any] = lanes["payment.order.placed"]
            return lane

        async def waits_for_long() -> None:
            assert (await look(1))["oldest_s"] > LATER_S

        await shop.place({"rosin": 1}, "tok_approved")
        began_s = time.monotonic()
        await eventually(waits_for_long)
        for _ in range(2):
            await shop.place({"rosin": 1}, "tok_approved")
        lane = await eventually(partial(look, 3))
        assert LATER_S < lane["oldest_s"] < time.monotonic() - began_s + LATER_S
        actors["payment"] = await stage.start("payment")
        await eventually(partial(look, 0))


async def test_a_rebuild_gives_the_same_picture(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """Row by row: all of it comes from the feeds, and none from having been there; what is waited for as well."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as board:
        await bought(stage, shop, rounds=2)
        await board.caught_up()
    async with stage.auditor.held(
        "LOCK TABLE payment_service.inbox IN EXCLUSIVE MODE"
    ):  # it can be read, and reacts not
        async with dashboard(stage, actors):
            await shop.place({"rosin": 1}, "tok_approved")
            before = await eventually(partial(tables_with_waits, stage))
        await stage.auditor.rows("TRUNCATE " + ", ".join(f"dashboard_service.{table}" for table in before))
        async with dashboard(stage, actors):

            async def look() -> dict[str, list[tuple[Any, ...]]]:
                after = await tables_with_waits(stage)
                assert after | {"feeds": before["feeds"]} == before
                return after

            after = await eventually(look)
    assert [service for service, _ in before["feeds"]] == [service for service, _ in after["feeds"]]


async def tables_with_waits(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    """Read all that is kept, once everything is told and payment is waited for in both its lanes."""
    assert await logged(stage) == await told(stage)
    kept = await tables(stage)
    assert len(kept["waits"]) == len(PAYMENTS)
    return kept


async def test_two_at_once_tell_one_story(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """Started twice by mistake, each reads on from where the other is."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as one, dashboard(stage, actors) as other:
        await bought(stage, shop, rounds=2)
        await one.caught_up()
        await other.caught_up()
    assert await shown(stage) == await standing(stage)


async def test_pages_hold_nothing_that_is_personal(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """Neither the address nor the payment token, wherever one looks; and nothing of it is kept."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as board:
        order_id = (await shop.place({"strings": 1}, "tok_approved", customer_id="carla"))["order_id"]
        await stage.auditor.quiescent()
        await board.caught_up()
        for path in ("/", "/orders", f"/orders/{order_id}", f"/api/orders/{order_id}", "/stuck", "/backlog"):
            text = (await board.http.get(path)).text
            assert "carla@example.org" not in text, path
            assert "tok_approved" not in text, path
        assert "carla" in await board.page("/orders")
        kept = str(await tables(stage))
        assert "@example.org" not in kept
        assert "tok_" not in kept


async def test_an_order_is_found_by_its_id_its_customer_and_its_events(
    stage: Stage, actors: dict[str, Actor], shop: LocalShop
) -> None:
    """A whole id leads to the order; a beginning or a customer, whatever they are called, to a list."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as board:
        order_id = (await shop.place({"strings": 1}, "tok_approved", customer_id="dora"))["order_id"]
        await stage.auditor.quiescent()
        await board.caught_up()
        last = (await board.json(f"/api/orders/{order_id}"))["log"][-1]["event_id"]
        for whole in (order_id, last):
            answer = await board.http.get("/orders", params={"q": whole})
            assert (answer.status_code, answer.headers["location"]) == (303, f"/orders/{order_id}")
        for part in (order_id[:13], "dora"):
            found = (await board.json("/api/orders", search=part))["orders"]
            assert [each["order_id"] for each in found] == [order_id]
        for customer in ("deadbeef", str(uuid4())):
            bought = (await shop.place({"strings": 1}, "tok_approved", customer_id=customer))["order_id"]
            await stage.auditor.quiescent()
            await board.caught_up()
            assert (await board.http.get("/orders", params={"q": customer})).status_code == 200
            found = (await board.json("/api/orders", search=customer))["orders"]
            assert [each["order_id"] for each in found] == [bought]
        assert (await board.json("/api/orders", search="nobody"))["orders"] == []
        assert (await board.json("/api/orders", state="compensated"))["orders"] == []
        unknown = await board.http.get(f"/api/orders/{uuid4()}")
        assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")


async def test_a_kind_of_order_is_placed_and_faults_are_set(stage: Stage, actors: dict[str, Actor]) -> None:
    """As a customer with the key of a setting; faults need the operator's key, which the person enters."""
    await stage.offer(**GOODS)
    key = (await actors["order"].as_customer("ann"))["Authorization"].removeprefix("Bearer ")
    async with dashboard(stage, actors, customer_key=key) as board:
        placed = await board.post("/try/order", kind="good")
        assert placed.status_code == 303, placed.text
        await board.caught_up()
        assert "order.placed" in await board.page(placed.headers["location"])
        assert (await board.post("/try/faults", key="wrong", latency_ms="5")).status_code == 403
        try:
            done = await board.post("/try/faults", key=OPERATOR_KEY, latency_ms="5")
            assert done.status_code == 303, done.text
            assert 'value="5"' in await board.page("/try")
        finally:
            await board.post("/try/faults", key=OPERATOR_KEY)
        await stage.auditor.quiescent()
