"""What the dashboard tells of an order: who is waited for, what came at which attempt, what was set aside."""

from typing import Any

import pytest

from services.notification.reactions import reactions as notification
from shared.topology import DELAY_TIERS_MS, delay_exchange, return_exchange
from tests.integration.dashboards import GOODS, Dashboard, dashboard
from tests.integration.letters import kept
from tests.integration.operating import INBOX, looked, operated
from tests.integration.reacting import raising
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.once]

TRIES = 3


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
        assert group["why"].startswith("payment does not answer: ")
        assert group["why"] in await board.page("/stuck")
        actors["payment"] = await stage.start("payment")
        await board.caught_up()
        assert (await board.json(f"/api/orders/{order_id}"))["state"] == "completed"


async def test_what_holds_a_service_up_is_told(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """The database refuses what payment writes: it answers, and says what it tries again and again."""
    await stage.offer(**GOODS)
    log = "payment_service.events"
    async with dashboard(stage, actors) as board:
        await board.caught_up()
        await stage.auditor.rows(f"REVOKE INSERT ON {log} FROM payment_service")
        try:
            order_id = (await shop.place({"strings": 1}, "tok_approved"))["order_id"]

            async def told() -> None:
                whys = [group["why"] or "" for group in (await board.json("/api/stuck"))["groups"]]
                assert len(whys) == 1
                assert whys[0].startswith("payment tries an event again and again, since ")
                assert "permission denied for table events" in whys[0]

            await eventually(told)
            order = await board.json(f"/api/orders/{order_id}")
            assert "permission denied" in order["next"][0]["why"]
            assert "Whatever comes to it waits behind that" in await board.page("/")
            assert "permission denied" in await board.page("/backlog")
        finally:
            await stage.auditor.rows(f"GRANT INSERT ON {log} TO payment_service")
        await board.caught_up()
        assert (await board.json(f"/api/orders/{order_id}"))["state"] == "completed"
        backlogs = [await looked(actor, "/backlog") for actor in actors.values()]
        assert [backlog["held_up"] for backlog in backlogs] == [None] * len(backlogs)


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
                groups = (await board.json("/api/stuck?bound_s=0"))["groups"]
                (why,) = [group["why"] for group in groups if group["waiting_for"] == "payment.charge"]
                assert why == charge["intent"]["last_error"]
                assert why

            await eventually(look)
            await shop.faults()
            await board.caught_up()
    finally:
        await shop.faults()


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


async def test_what_waits_to_be_tried_again_says_so(stage: Stage) -> None:
    """On the order's page with how it failed and when it is tried again, and on the stage in its lane."""
    actors = await stage.start_some("order", "inventory", "payment")
    await stage.offer(**GOODS)
    async with LocalShop(stage, actors) as shop:
        fails = raising(notification, lambda _: True)
        async with stage.runtime("notification", fails, delay_tiers_ms=DELAY_TIERS_MS[-1:]):
            order_id = (await shop.bought({"rosin": 1}))["order_id"]

            async def noted() -> None:
                assert await stage.auditor.count("notification_service.retries") == 1

            await eventually(noted)
        actors["notification"] = await stage.start("notification")
        async with dashboard(stage, actors) as board:

            async def told() -> None:
                (wait,) = (await board.json(f"/api/orders/{order_id}"))["next"]
                assert (wait["kind"], wait["name"]) == ("reaction", "notification.tell_confirmed")
                assert wait["why"] is not None
                assert wait["why"].startswith("BrokenError at attempt 1, due again at ")
                (group,) = (await board.json("/api/stuck?bound_s=0"))["groups"]
                assert (group["waiting_for"], group["why"]) == (wait["name"], wait["why"])

            await eventually(told)
            assert "BrokenError at attempt 1" in await board.page(f"/orders/{order_id}")
            lanes = {each["lane"]: each["retries"] for each in (await board.json("/api/stage"))["lanes"]}
            assert {lane: retries for lane, retries in lanes.items() if retries} == {"notification.order.confirmed": 1}
            page = await board.page("/")
            assert "1 to retry · " in page
            waiting = await stage.auditor.take(delay_exchange("notification", DELAY_TIERS_MS[-1]))
            await stage.auditor.publish(return_exchange("notification"), "notification.order.confirmed", waiting.body)
            await board.caught_up()
            order = await board.json(f"/api/orders/{order_id}")
            assert (order["next"], order["state"]) == ([], "completed")


async def test_a_dead_letter_is_told_until_it_is_replayed(stage: Stage) -> None:
    """With its attempts; nobody is told to replay what somebody has replayed: the reaction is under way again."""
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
                assert kind == "reaction" or waits[0]["why"].endswith(f", at attempt {TRIES + 1}")

            await eventually(lambda: awaited("dead letter"))
            (lane,) = [each for each in (await board.json("/api/stage"))["lanes"] if each["dead_letters"]]
            assert (lane["lane"], lane["events"], lane["stuck"]) == ("notification.order.confirmed", 0, 1)
            assert lane["oldest_s"] > 0
            await stage.auditor.rows(f"DELETE FROM {INBOX} WHERE outcome = 'dead'")  # noqa: S608 - ours; as a replay does
            await eventually(lambda: awaited("reaction"))
            await operated(actors["notification"], "/dead-letters/replay", all=True)
            await board.caught_up()
            assert (await board.json(f"/api/orders/{order_id}"))["next"] == []
