"""A lane that lost what was in it is refilled from its owner's log, and every order ends as it must."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from shared.broker.declare import declare_at
from shared.store.driver import transacting
from shared.store.operating import REFILL
from shared.store.place import Place
from shared.store.refill import Lot, Refill
from tests.integration.asking import is_problem
from tests.integration.books import agree
from tests.integration.half import half
from tests.integration.operating import KEY, acts, operated
from tests.integration.servers import topology
from tests.integration.shop import APPROVED, LocalShop
from tests.integration.stage import Stage
from tests.integration.test_relay import reserve, swept
from tests.waiting import eventually

pytestmark = pytest.mark.integration

LANE = "payment.stock.reserved"
TYPES = ["stock.reserved.v1"]
ORDERS = 3
OUTBOX = "inventory_service.outbox"


async def test_a_lost_lane_is_refilled(stage: Stage) -> None:
    """Its queue is deleted with all that was in it and declared again; then everything settles, and once."""
    await stage.offer(rosin=ORDERS)
    actors = {name: await stage.start(name) for name in ("order", "inventory", "notification")}
    began = datetime.now(UTC) - timedelta(minutes=1)
    async with LocalShop(stage, actors) as shop:
        for _ in range(ORDERS):
            await shop.place({"rosin": 1}, APPROVED)

    async def waiting() -> None:
        assert await stage.auditor.depths([LANE]) != {}
        assert await stage.auditor.count(OUTBOX) == 0
        assert await stage.auditor.count("inventory_service.events", "type = ANY($1)", TYPES) == ORDERS

    await eventually(waiting)
    await stage.auditor.delete(LANE)
    await declare_at(topology(), stage.servers.broker_url("topology"))
    await stage.start("payment")
    asked = {"lane": LANE, "since": began.isoformat()}
    assert await operated(actors["inventory"], "/refill", **asked) == {"refilled": ORDERS, "next": None}
    await agree(stage)
    assert await operated(actors["inventory"], "/refill", **asked) == {"refilled": ORDERS, "next": None}
    await agree(stage)
    assert await stage.auditor.count("order_service.orders", "status = 'confirmed'") == ORDERS
    assert [act[:2] for act in await acts(actors["inventory"])] == [("refill", LANE)] * 2


async def test_a_refill_walks_the_log_lot_by_lot(stage: Stage) -> None:
    """Each event of the type since then is put back once; nothing older, and nothing of another type."""
    async with half(stage, "inventory", publishes=False) as process:
        await reserve(stage, process, 5)
        old = await stage.auditor.value(f"SELECT event_id FROM {OUTBOX} LIMIT 1")  # noqa: S608 - ours
        an_hour_ago = "UPDATE inventory_service.events SET occurred_at = now() - interval '1 hour' WHERE event_id = $1"
        await stage.auditor.rows(an_hour_ago, old)
        await stage.auditor.rows(f"TRUNCATE {OUTBOX}")
        refill, since = Refill(process.store.engine, lot_max_events=2), datetime.now(UTC) - timedelta(minutes=1)
        assert (await refill.lot(["stock.rejected.v1"], since, None, LANE)).refilled == 0
        lots = [await refill.lot(TYPES, since, None, LANE)]
        while (after := lots[-1].next) is not None:
            lots.append(await refill.lot(TYPES, since, after, LANE))
        logged = await stage.auditor.count("inventory_service.events")  # the goods that came are among them
        assert len(lots) == logged // 2 + 1
        assert sum(lot.refilled for lot in lots) == 4
        assert await stage.auditor.count(OUTBOX) == 4
        assert await stage.auditor.count(OUTBOX, "event_id = $1", old) == 0
        parked = await stage.auditor.value(f"SELECT event_id FROM {OUTBOX} LIMIT 1")  # noqa: S608 - ours
        await process.store.park_unsent({parked: "TypeError: cannot be written"})
        assert (await Refill(process.store.engine).lot(TYPES, since, None, LANE)).refilled == 3
        assert await stage.auditor.count(OUTBOX, "event_id = $1 AND parked_at IS NOT NULL", parked) == 1
        assert await refill.lot(TYPES, since, Place(10**15, 0), LANE) == Lot(0, None)


@pytest.mark.parametrize("gone", [False, True], ids=["row still there", "row gone"])
async def test_a_confirm_of_before_does_not_undo_a_refill(stage: Stage, gone: bool) -> None:
    """A process that still remembers a publish to the queue that is gone leaves alone what was put back since."""
    async with half(stage, "inventory") as process:
        await reserve(stage, process)

        async def confirmed() -> None:
            assert await stage.auditor.depths([LANE]) == {LANE: 1}

        await eventually(confirmed)
        assert await stage.auditor.count(OUTBOX) == 1
        if gone:  # another process published it too, and was quicker
            await stage.auditor.rows(f"TRUNCATE {OUTBOX}")
        await stage.auditor.delete(LANE)
        await declare_at(topology(), stage.servers.broker_url("topology"))
        since = datetime.now(UTC) - timedelta(minutes=1)
        assert (await Refill(process.store.engine).lot(TYPES, since, None, LANE)).refilled == 1
        await process.relay.flushed()
        assert await stage.auditor.count(OUTBOX) == 1
        await swept(process)
    assert await stage.auditor.depths([LANE]) == {LANE: 1}
    assert await stage.auditor.count(OUTBOX) == 0


async def test_a_confirm_that_waits_for_a_refill_leaves_its_row_alone(stage: Stage) -> None:
    """Its deletion began before the refill was committed: it sees the row as it is then, and not as it was."""
    async with half(stage, "inventory") as process:
        await reserve(stage, process)

        async def confirmed() -> None:
            assert await stage.auditor.depths([LANE]) == {LANE: 1}

        await eventually(confirmed)
        since = datetime.now(UTC) - timedelta(minutes=1)
        async with transacting(process.store.engine) as driver:
            (row,) = await REFILL.rows(driver, transaction_id="0", position=0, limit=10, types=TYPES, since=since)
            assert row["refilled"] == 1
            deleting = asyncio.create_task(process.relay.flushed())
            await stage.auditor.waiting("inventory_service")
        await deleting
        assert await stage.auditor.count(OUTBOX) == 1
        await swept(process)
    assert await stage.auditor.count(OUTBOX) == 0


@pytest.mark.parametrize(
    ("lane", "age"),
    [
        ("payment.order.placed", timedelta()),  # not inventory's event
        ("payment.stock.lost", timedelta()),
        ("payment.stock.received", timedelta()),  # never leaves inventory
        ("nonsense", timedelta()),
        (LANE, timedelta(days=15)),  # further back than an inbox remembers
    ],
)
async def test_a_refill_that_cannot_be(stage: Stage, lane: str, age: timedelta) -> None:
    """Is refused, with the reason."""
    actor = await stage.start("inventory")
    body = {"lane": lane, "since": (datetime.now(UTC) - age).isoformat()}
    is_problem(await actor.http.post("/refill", json=body, headers=KEY), 422)
    assert await acts(actor) == []


@pytest.mark.parametrize(
    "since",
    [
        "9999-12-31T23:59:59-23:59",  # has no time in UTC
        "0001-01-01T00:00:00+23:59",
        (datetime.now(UTC) + timedelta(days=1)).isoformat(),  # still to come
        datetime.now(UTC).timestamp(),  # seconds, or milliseconds?
        str(int(datetime.now(UTC).timestamp())),
        "2026-01-01T00:00:00",  # in which zone?
    ],
    ids=["no UTC", "no UTC either", "to come", "number", "digits", "no zone"],
)
async def test_a_refill_since_an_odd_time(stage: Stage, since: str | float) -> None:
    """Is refused, and the database is not asked."""
    actor = await stage.start("inventory")
    is_problem(await actor.http.post("/refill", json={"lane": LANE, "since": since}, headers=KEY), 422)
    assert await acts(actor) == []
