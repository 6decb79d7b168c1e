"""What waits to be tried again is noted for who looks on, and no longer than it waits."""

import asyncio
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from services.notification.reactions import reactions
from shared.batch import Item
from shared.clock import SystemClock
from shared.ports import WorldError
from shared.retries import Failure
from shared.store import retry_notes
from shared.store.backlog import Backlog, Backlogs
from shared.store.progress import Progress
from shared.store.retry_notes import RetryNotes
from tests.integration.half import Half, half
from tests.integration.operating import operated, set_aside
from tests.integration.reacting import raising
from tests.integration.stage import Stage
from tests.integration.test_failed_reaction import JITTERED_MIN
from tests.integration.wire import confirmed, envelope, item, send
from tests.waiting import eventually

pytestmark = pytest.mark.integration

LANE = "notification.order.confirmed"
RETRIES = "notification_service.retries"
MINUTE_MS = 60_000
A_SECOND = timedelta(seconds=1)
SKEW = timedelta(seconds=10)
"""So far behind is the clock of the replica that had the second attempt."""


def failure(of: Item, attempts: int, at: datetime | None = None, *, retryable: bool = True) -> Failure:
    """Give an attempt that failed."""
    return Failure(
        str(of.envelope.event_id),
        b"",
        attempts,
        "ValueError",
        "ValueError: c@example.org",
        at or datetime.now(UTC),
        None,
        retryable,
    )


def due(before: str, why: str | None, failed_at: datetime) -> datetime:
    """Read when it is due, which is soon after it failed."""
    assert why is not None
    assert why.startswith(before)
    due_at = datetime.combine(failed_at, time.fromisoformat(why.removeprefix(before).removesuffix(" UTC")), UTC)
    return due_at if due_at > failed_at - timedelta(hours=12) else due_at + timedelta(days=1)


def notes_of(process: Half) -> RetryNotes:
    """Give the notes of notification, which tries again twice, a minute after each failure."""
    return RetryNotes("notification", process.store.engine, (MINUTE_MS, MINUTE_MS), SystemClock())


async def backlog(process: Half) -> Backlog:
    """Count what waits."""
    return await Backlogs("notification", process.store.engine, ()).now()


async def test_what_failed_is_told_with_its_class_and_its_time(stage: Stage) -> None:
    """And with nothing of what the error says; the last attempt is told, also where an earlier one is noted late."""
    first, second, done = item(confirmed()), item(confirmed()), item(confirmed())
    now = datetime.now(UTC)
    async with half(stage, "notification") as process:
        notes = notes_of(process)
        notes.failed(first, failure(first, 2, now - SKEW), 0.0)
        notes.failed(second, failure(second, 1, now), 0.0)
        notes.failed(done, failure(done, 1), 0.0)
        await notes.note()
        notes.failed(first, failure(first, 1, now), 0.0)
        await notes.note()
        await process.shell.submit(done)
        ids = [each.envelope.event_id for each in (first, second, done)]
        told = await Progress(process.store.engine).of_events(ids)
        (retried,) = (await backlog(process)).retries
    for event_id, attempts, at in ((ids[0], 2, now - SKEW), (ids[1], 1, now)):
        assert (told[event_id].outcome, told[event_id].at) == ("retried", at)
        due_at = due(f"ValueError at attempt {attempts}, due again at ", told[event_id].why, at)
        assert at + timedelta(milliseconds=MINUTE_MS * JITTERED_MIN) - A_SECOND <= due_at
        assert due_at <= at + timedelta(milliseconds=MINUTE_MS)
    assert told[ids[2]].outcome == "advanced"
    assert (retried.lane, retried.events, retried.attempts) == (LANE, 2, 2)


async def test_what_does_not_come_back_is_told_so(stage: Stage) -> None:
    """Whoever looks on is not promised what should have been long ago."""
    lost = item(confirmed())
    async with half(stage, "notification") as process:
        notes = notes_of(process)
        notes.failed(lost, failure(lost, 1, datetime.now(UTC) - timedelta(hours=1)), 0.0)
        await notes.note()
        told = await Progress(process.store.engine).of_events([lost.envelope.event_id])
    why = told[lost.envelope.event_id].why
    assert why is not None
    assert why.startswith("ValueError at attempt 1, was due at ")
    assert why.endswith(" UTC, and has not come back")


async def test_what_was_reacted_to_is_forgotten(stage: Stage) -> None:
    """And what is long overdue, because it is not on its way any more; what still waits is not."""
    waiting, done, lost = item(confirmed()), item(confirmed()), item(confirmed())
    now = datetime.now(UTC)
    async with half(stage, "notification") as process:
        notes = notes_of(process)
        for each, at in ((waiting, now), (done, now), (lost, now - timedelta(days=2))):
            notes.failed(each, failure(each, 1, at), 0.0)
        await notes.note()
        await process.shell.submit(done)
        assert await notes.forget() == 2
        assert await notes.forget() == 0
    (left,) = await stage.auditor.rows(f"SELECT event_id FROM {RETRIES}")  # noqa: S608 - ours
    assert left["event_id"] == waiting.envelope.event_id


@pytest.mark.parametrize("last", [{"attempts": 3}, {"attempts": 1, "retryable": False}])
async def test_what_is_set_aside_is_not_noted(stage: Stage, last: dict[str, Any]) -> None:
    """Nobody tries it again."""
    bad = item(confirmed())
    async with half(stage, "notification") as process:
        notes = notes_of(process)
        notes.failed(bad, failure(bad, **last), 0.0)
        await notes.note()
    assert await stage.auditor.count(RETRIES) == 0


async def test_a_replay_counts_its_attempts_anew(stage: Stage) -> None:
    """However soon it comes after the last failure: nothing of what failed before is told of it."""
    (dead,) = await set_aside(stage)
    actor = await stage.start("notification")
    assert await stage.auditor.count(RETRIES) == 1
    await operated(actor, "/dead-letters/replay", all=True)
    await stage.auditor.done("notification")
    assert await stage.auditor.count(RETRIES) == 0
    told = await Progress(actor.runtime.engine).of_events([dead.event_id])
    assert told[dead.event_id].outcome == "advanced"


async def test_notes_wait_for_the_database(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be noted is noted once it can be, whether or not anything else fails."""
    bad = item(confirmed())
    async with half(stage, "notification") as process:
        notes = notes_of(process)
        written, away = notes.note, [WorldError("away"), WorldError("away")]

        async def note() -> None:
            if away:
                raise away.pop()
            await written()

        monkeypatch.setattr(notes._noting, "_do", note)
        noting = asyncio.create_task(notes.run())
        notes.failed(bad, failure(bad, 1), 0.0)

        async def noted() -> None:
            assert await stage.auditor.count(RETRIES) == 1

        await eventually(noted)
        noting.cancel()
        await asyncio.gather(noting, return_exceptions=True)


async def test_only_so_much_waits_to_be_noted(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first is forgotten."""
    monkeypatch.setattr(retry_notes, "UNNOTED_MAX_EVENTS", 2)
    first, *others = (item(confirmed()) for _ in range(3))
    async with half(stage, "notification") as process:
        notes = notes_of(process)
        for each in (first, *others):
            notes.failed(each, failure(each, 1), 0.0)
        await notes.note()
    noted = {row["event_id"] for row in await stage.auditor.rows(f"SELECT event_id FROM {RETRIES}")}  # noqa: S608 - ours
    assert noted == {each.envelope.event_id for each in others}


async def test_a_service_notes_and_forgets_by_itself(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the first failure to the dead letter, and then there is nothing left to be told."""
    monkeypatch.setattr(retry_notes, "FORGET_INTERVAL_S", 0.2)
    monkeypatch.setattr(retry_notes, "NOTE_INTERVAL_S", 0.01)
    bad = envelope(confirmed())
    seen = set[int]()
    async with stage.runtime("notification", raising(reactions, lambda _: True)):

        async def set_aside() -> None:
            rows = await stage.auditor.rows(f"SELECT attempts FROM {RETRIES}")  # noqa: S608 - ours
            seen.update(row["attempts"] for row in rows)
            assert await stage.auditor.count("notification_service.dead_letters") == 1

        await send(stage.auditor, bad)
        await eventually(set_aside)

        async def forgotten() -> None:
            assert await stage.auditor.count(RETRIES) == 0

        await eventually(forgotten)
    assert seen <= {1, 2, 3}
    assert 3 in seen
