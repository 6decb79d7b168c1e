"""What waits, is parked or was set aside is counted, with how long the oldest has waited by the database's clock."""

from typing import Any

import pytest

from shared.store.backlog import Backlogs
from tests.integration.half import half
from tests.integration.operating import LANE, looked, set_aside
from tests.integration.stage import Stage
from tests.integration.test_intents import charges
from tests.integration.test_parked import parked_charge
from tests.integration.test_relay import reserve

pytestmark = pytest.mark.integration

AN_HOUR: Any = pytest.approx(3_600, abs=300)
"""In seconds, and as exactly as a test on a busy machine can tell."""
NONE = {"waiting": 0, "due": 0, "oldest_due_s": None, "parked": 0}


async def test_nothing_waits(stage: Stage) -> None:
    """Of no kind."""
    await stage.auditor.rows("TRUNCATE payment_service.inbox")  # or how many there are about is an earlier test's
    actor = await stage.start("payment")
    backlog = await looked(actor, "/backlog")
    assert backlog["inbox"].pop("about") in (None, 0)  # the database looks whenever it likes
    assert backlog == {
        "service": "payment",
        "outbox": {"waiting": 0, "oldest_s": None, "parked": 0},
        "inbox": {"newest_s": None},
        "intents": [{"kind": "charge", **NONE}, {"kind": "undo", **NONE}],
        "retries": [],
        "dead_letters": [],
        "held_up": None,
    }


async def test_the_outbox(stage: Stage) -> None:
    """What is not sent, since it was logged; what is parked is counted apart, and what a refill put back is not old."""
    async with half(stage, "inventory", publishes=False) as process:
        await reserve(stage, process, 5)
        old, parked, refilled = await stage.auditor.rows("SELECT event_id FROM inventory_service.outbox LIMIT 3")
        for row, hours in ((old, 1), (parked, 2), (refilled, 3)):
            aged = f"UPDATE inventory_service.events SET occurred_at = now() - interval '{hours} hours'"  # noqa: S608 - ours
            await stage.auditor.rows(f"{aged} WHERE event_id = $1", row["event_id"])
        await process.store.park_unsent({parked["event_id"]: "TypeError: cannot be written"})
        await stage.auditor.rows(
            "UPDATE inventory_service.outbox SET generation = 1 WHERE event_id = $1", refilled["event_id"]
        )
        outbox = (await Backlogs("inventory", process.store.engine, ()).now()).outbox
    assert (outbox.waiting, outbox.parked, outbox.oldest_s) == (4, 1, AN_HOUR)


async def test_the_inbox(stage: Stage) -> None:
    """About how many events it knows, once the database has looked, and since when none has come."""
    await set_aside(stage, 2)
    await stage.auditor.rows("UPDATE notification_service.inbox SET received_at = now() - interval '1 hour'")
    await stage.auditor.rows("ANALYZE notification_service.inbox")
    inbox = (await looked(await stage.start("notification"), "/backlog"))["inbox"]
    assert inbox == {"about": 2, "newest_s": AN_HOUR}


async def test_intents_by_kind(stage: Stage) -> None:
    """Those that wait, those of them that are due and since when; those that are parked are neither."""
    await parked_charge(stage)
    async with half(stage, "payment") as process:
        due, _, _ = await charges(process, 3)
        moved = "UPDATE payment_service.intents SET due_at = now() {} WHERE parked_at IS NULL AND stream_id {} $1"
        await stage.auditor.rows(moved.format("- interval '1 hour'", "="), due)
        await stage.auditor.rows(moved.format("+ interval '1 hour'", "<>"), due)
        charge, undo = (await Backlogs("payment", process.store.engine, ("undo", "charge")).now()).intents
    assert (charge.kind, charge.waiting, charge.due, charge.parked, charge.oldest_due_s) == ("charge", 3, 1, 1, AN_HOUR)
    assert (undo.kind, undo.waiting, undo.oldest_due_s) == ("undo", 0, None)


async def test_dead_letters_by_lane_and_error(stage: Stage) -> None:
    """With how long the first of them lies there."""
    await set_aside(stage, 2)
    await stage.auditor.rows("UPDATE notification_service.dead_letters SET drained_at = now() - interval '1 hour'")
    (letters,) = (await looked(await stage.start("notification"), "/backlog"))["dead_letters"]
    assert (letters["lane"], letters["letters"], letters["oldest_s"]) == (LANE, 2, AN_HOUR)


async def test_a_count_has_a_bound(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much waits, counting it costs no more."""
    monkeypatch.setattr("shared.store.backlog.COUNT_MAX_ROWS", 3)
    async with half(stage, "inventory", publishes=False) as process:
        await reserve(stage, process, 5)
        assert (await Backlogs("inventory", process.store.engine, ()).now()).outbox.waiting == 3
