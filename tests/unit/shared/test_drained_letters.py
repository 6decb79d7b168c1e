"""From the dead-letter queue into the table: a letter is acked once it is kept, and whatever it holds, it is kept."""

import asyncio

import pytest

from shared.ports import RefusedError, WorldError
from tests.unit.shared.fakes import FakeClock
from tests.unit.shared.loop import passes
from tests.unit.shared.receiving_stage import LANE, FakeMessage, Stage
from tests.unit.shared.wire import batch, cloud_event


def letter(body: bytes) -> FakeMessage:
    """Give a message of the dead-letter queue."""
    return FakeMessage(body, quartet_lane=LANE.queue, quartet_error_class="ValueError", quartet_reason="ValueError: no")


async def test_acked_once_it_is_kept(clock: FakeClock) -> None:
    """While the database is away it stays in its queue, however long that is."""
    stage, message = Stage(clock), letter(batch(cloud_event(), cloud_event(id="0190d1a5-0000-7000-8000-0000000000bb")))
    stage.keeper.errors = [WorldError("away")] * 100
    await stage.drain(message)
    assert message.acked
    assert [(kept.lane, kept.error_class) for kept in stage.keeper.kept] == [(LANE.queue, "ValueError")] * 2
    assert len(clock.slept_s) == 100


async def test_not_acked_before(clock: FakeClock) -> None:
    """A letter that is acked and not kept would be gone."""
    stage, message = Stage(clock), letter(batch(cloud_event()))
    stage.keeper.errors = [WorldError("away")] * 1_000_000
    draining = asyncio.create_task(stage.drain(message))
    await passes()
    assert not message.acked
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)


@pytest.mark.parametrize("error", [RefusedError("no"), OverflowError("date value out of range")], ids=repr)
async def test_what_cannot_be_kept_as_it_is_is_kept_bare(clock: FakeClock, error: Exception) -> None:
    """Its body and its lane alone, as one letter: so it lies in nobody's way, and a person sees it."""
    stage, message = Stage(clock), letter(batch(cloud_event(), cloud_event(id="0190d1a5-0000-7000-8000-0000000000bb")))
    stage.keeper.errors = [error]
    await stage.drain(message)
    assert message.acked
    (kept,) = stage.keeper.kept
    assert (kept.body, kept.lane, kept.event_id) == (message.body, LANE.queue, None)
    assert type(error).__name__ in kept.reason
