"""The dashboard's picture, held against the logs of the services; and what it tells of what is broken."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.notification.reactions import reactions as notification
from tests.integration.dashboards import Dashboard, auditor, dashboard, logged, tables, told
from tests.integration.letters import kept
from tests.integration.operating import INBOX, operated
from tests.integration.outside import OPERATOR_KEY
from tests.integration.reacting import raising
from tests.integration.shop import LocalShop
from tests.integration.spoilt import letter
from tests.integration.stage import Actor, Stage
from tests.pictures import SHOWN, STANDING
from tests.waiting import eventually

pytestmark = pytest.mark.integration

TRIES = 3
GOODS = {"strings": 8, "violin": 20, "rosin": 100}

MIXED = (
    ({"strings": 1}, "tok_approved"),
    ({"violin": 1}, "tok_declined"),
    ({"strings": 9}, "tok_approved"),
    ({"rosin": 2}, "tok_insufficient_funds"),
)
"""One that goes through, two whose money is not to be had, one of which there is not enough."""


async def bought(stage: Stage, shop: LocalShop, rounds: int = 1) -> None:
    """Have orders of every kind placed at once, one of them cancelled by its customer, and wait for the end of all."""
    await asyncio.gather(*(shop.bought(lines, token) for lines, token in MIXED * rounds))
    placed = await shop.place({"rosin": 1}, "tok_approved", customer_id=f"c-{uuid4()}")
    await shop.cancel(placed)
    await stage.auditor.quiescent()


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


async def test_a_rebuild_gives_the_same_picture(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """Row by row: all of it comes from the feeds, and none from having been there."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as board:
        await bought(stage, shop, rounds=2)
        await board.caught_up()
        before = await tables(stage)
    await stage.auditor.rows("TRUNCATE " + ", ".join(f"dashboard_service.{table}" for table in before))
    async with dashboard(stage, actors) as board:
        await board.caught_up()
    after = await tables(stage)
    places = before.pop("feeds"), after.pop("feeds")
    assert after == before
    assert [service for service, _ in places[0]] == [service for service, _ in places[1]]


async def test_two_at_once_tell_one_story(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """Started twice by mistake, each reads on from where the other is."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as one, dashboard(stage, actors) as other:
        await bought(stage, shop, rounds=2)
        await one.caught_up()
        await other.caught_up()
    assert await shown(stage) == await standing(stage)


async def test_a_stopped_service_is_named_with_the_reaction(
    stage: Stage, actors: dict[str, Actor], shop: LocalShop
) -> None:
    """On the order's page, as JSON, and in the group of those that are stuck: within seconds."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as board:
        await board.caught_up()
        await actors.pop("payment").stop()
        order_id = (await shop.place({"strings": 1}, "tok_approved"))["order_id"]
        order = await eventually(lambda: overdue(board, order_id))
        assert order["state"] == "stuck"
        assert [place["service"] for place in order["silent"]] == ["payment"]
        page = await board.page(f"/orders/{order_id}")
        assert "does not answer" in page
        assert "overdue since" in page
        (group,) = (await board.json("/api/stuck"))["groups"]
        assert (group["waiting_for"], group["ids"]) == ("payment.learn_amount", [order_id])
        actors["payment"] = await stage.start("payment")
        await board.caught_up()
        assert (await board.json(f"/api/orders/{order_id}"))["state"] == "completed"


async def test_what_cannot_be_read_yet_is_not_late(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """A long transaction holds the feeds back: payment has reacted, its inbox says so, and nobody calls it stuck."""
    await stage.offer(**GOODS)
    async with dashboard(stage, actors) as board:
        await actors.pop("payment").stop()
        order_id = (await shop.place({"strings": 1}, "tok_approved"))["order_id"]
        await eventually(lambda: overdue(board, order_id))
        async with stage.auditor.held("SELECT pg_current_xact_id()"):
            actors["payment"] = await stage.start("payment")

            async def look() -> None:
                order = await board.json(f"/api/orders/{order_id}")
                waits = {(wait["kind"], wait["name"]) for wait in order["next"] if wait["kind"] != "timer"}
                assert waits == {("unread", "payment.learn_amount"), ("unread", "payment.learn_stock")}
                assert order["state"] == "running"
                assert "still to be read" in await board.page(f"/orders/{order_id}")

            await eventually(look)
        await board.caught_up()
        assert (await board.json(f"/api/orders/{order_id}"))["state"] == "completed"
        assert await stage.auditor.count("dashboard_service.verdicts", "outcome = 'advanced'") == 0


async def overdue(board: Dashboard, order_id: str) -> dict[str, Any]:
    """Read an order that waits for too long, and for somebody who does not answer."""
    answer = await board.http.get(f"/api/orders/{order_id}")
    assert answer.status_code == 200
    order: dict[str, Any] = answer.json()
    assert order["silent"]
    late = [(wait["kind"], wait["name"]) for wait in order["next"] if wait["overdue_since"]]
    assert late == [("reaction", "payment.learn_amount"), ("reaction", "payment.learn_stock")]
    return order


async def test_an_intent_is_told_with_its_attempts(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """The provider fails: the charge is waited for, and payment says how often it asked."""
    await stage.offer(**GOODS)
    await shop.faults(error_rate=1.0)
    try:
        async with dashboard(stage, actors) as board:
            order_id = (await shop.place({"strings": 1}, "tok_approved"))["order_id"]

            async def look() -> None:
                answer = await board.http.get(f"/api/orders/{order_id}")
                assert answer.status_code == 200
                charge = next((each for each in answer.json()["next"] if each["name"] == "payment.charge"), None)
                assert charge is not None
                assert charge["intent"] is not None
                assert charge["intent"]["attempts"] > 0

            await eventually(look)
            await shop.faults()
            await board.caught_up()
    finally:
        await shop.faults()


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


async def test_attempts_are_told(stage: Stage) -> None:
    """An event that came about at the third attempt, and a charge that was asked for until it was answered."""
    actors = await stage.start_some("order", "inventory", "payment")
    await stage.offer(**GOODS)
    tries = iter(range(TRIES - 1))
    fails_twice = raising(notification, lambda _: next(tries, None) is not None)
    async with LocalShop(stage, actors) as shop:
        async with stage.runtime("notification", fails_twice):
            order_id = (await shop.bought({"rosin": 1}, "tok_flaky"))["order_id"]
            await stage.auditor.quiescent()
        actors["notification"] = await stage.start("notification")
        async with dashboard(stage, actors) as board:
            await board.caught_up()
            log = (await board.json(f"/api/orders/{order_id}"))["log"]
            attempts = {event["name"]: event["attempts"] for event in log if event["attempts"] > 1}
            assert attempts == {"notification.recorded": TRIES, "payment.captured": TRIES}
            assert f"attempt {TRIES}" in await board.page(f"/orders/{order_id}")


async def test_a_dead_letter_is_told_with_its_attempts(stage: Stage) -> None:
    """Whoever looks at the order sees how often its reaction was tried."""
    actors = await stage.start_some("order", "inventory", "payment")
    await stage.offer(**GOODS)
    async with LocalShop(stage, actors) as shop:
        async with stage.runtime("notification", raising(notification, lambda _: True)):
            order_id = (await shop.bought({"rosin": 1}))["order_id"]
            await kept(stage.auditor, "notification", 1)
        actors["notification"] = await stage.start("notification")
        async with dashboard(stage, actors) as board:

            async def look() -> None:
                waits = (await board.json(f"/api/orders/{order_id}"))["next"]
                told = [(wait["kind"], str(wait["why"]).rpartition(", ")[2]) for wait in waits]
                assert told == [("dead letter", f"at attempt {TRIES + 1}")]

            await eventually(look)


async def test_a_replayed_letter_is_waited_for_anew(stage: Stage) -> None:
    """Nobody is told to replay what somebody has replayed: the reaction is under way until it has happened."""
    actors = await stage.start_some("order", "inventory", "payment")
    await stage.offer(**GOODS)
    async with LocalShop(stage, actors) as shop:
        async with stage.runtime("notification", raising(notification, lambda _: True)):
            order_id = (await shop.bought({"rosin": 1}))["order_id"]
            await kept(stage.auditor, "notification", 1)
        actors["notification"] = await stage.start("notification")
        async with dashboard(stage, actors) as board:

            async def awaited(kind: str) -> None:
                waits = (await board.json(f"/api/orders/{order_id}"))["next"]
                assert [(wait["kind"], wait["name"]) for wait in waits] == [(kind, "notification.tell_confirmed")]

            await eventually(lambda: awaited("dead letter"))
            await stage.auditor.rows(f"DELETE FROM {INBOX} WHERE outcome = 'dead'")  # noqa: S608 - ours; as a replay does
            await eventually(lambda: awaited("reaction"))
            await operated(actors["notification"], "/dead-letters/replay", all=True)
            await board.caught_up()
            assert (await board.json(f"/api/orders/{order_id}"))["next"] == []


async def consistency(board: Dashboard, said: str) -> str:
    """Have an audit run from the page, and wait until the page says what came of it."""
    assert (await board.post("/consistency")).status_code == 303

    async def look() -> str:
        page = await board.page("/consistency")
        assert "An audit is running" not in page
        assert said in page
        return page

    return await eventually(look)


async def test_an_audit_from_the_page(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """The auditor reads what the dashboard may not; what it could not read is named, and so is the rule about that."""
    await stage.offer(**GOODS)
    async with auditor(stage) as address, dashboard(stage, actors, auditor_url=address) as board:
        assert "None was run" in await board.page("/consistency")
        await bought(stage, shop)
        page = await consistency(board, "Every promise is kept")
        assert "5 orders in" in page
        assert "Not read: the programs&#39; logs, which are out of reach here: `quartet audit` asks no-card-log" in page
        assert "<code>no-card-log</code>" not in page
        await stage.auditor.rows(letter("card 4111111111111111", "forged"))
        assert "<b>no-secret-letter</b>" in await consistency(board, "Promises are broken")


async def test_an_audit_of_the_logs_too(stage: Stage, actors: dict[str, Actor], tmp_path: Path) -> None:
    """Where a setting says where they are."""
    (tmp_path / "order.log").write_text("card 4111111111111111 was refused\n")
    async with auditor(stage, tmp_path) as address, dashboard(stage, actors, auditor_url=address) as board:
        page = await consistency(board, "Promises are broken")
        assert "<b>no-card-log</b>" in page
        assert "Not read" not in page


async def test_without_an_auditor(stage: Stage, actors: dict[str, Actor]) -> None:
    """Whether it is silent or no setting names it: the page says so, and nothing is begun."""
    async with dashboard(stage, actors) as board:
        assert "no setting says where the auditor is" in await board.page("/consistency")
        assert (await board.post("/consistency")).status_code == 422
    async with dashboard(stage, actors, auditor_url="http://127.0.0.1:1") as board:
        assert "The auditor does not answer" in await board.page("/consistency")
        assert (await board.post("/consistency")).status_code == 502
