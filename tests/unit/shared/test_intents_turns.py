"""Whose turn it is: how many intents are carried out at once, how many wait, and which comes first."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.shared.fakes import FakeClock
from tests.unit.shared.intents_stage import LIMITS, Stage
from tests.unit.shared.loop import passes, running, until
from tests.unit.shared.toy import order


@pytest.fixture
async def stage(clock: FakeClock) -> AsyncIterator[Stage]:
    stage = Stage(clock)
    yield stage
    await stage.end()


@pytest.mark.parametrize(("ago_s", "started"), [(0, True), (14.9, True), (15.1, False), (60, False)])
async def test_a_late_claim_is_given_back(stage: Stage, ago_s: float, started: bool) -> None:
    """What could not be started in the first half of its lease might not end within it: it is due again at once."""
    (claim,) = stage.intend(1, leased_s=30)
    stage.outside.clear()
    stage.workers.offer([claim], stage.clock.monotonic_s() - ago_s)
    await until(lambda: stage.performed or stage.row().leased_until_s < 0)
    assert bool(stage.performed) is started
    assert stage.row().claim.attempts == int(started)


async def test_a_claim_that_waited_too_long_is_given_back(stage: Stage) -> None:
    """So it is with one that found all workers busy for half its lease; then it is carried out when there is room."""
    claims = stage.intend(1, 2, 3, 4, leased_s=30)
    stage.outside.clear()
    stage.workers.offer(claims[:3], stage.clock.monotonic_s())
    stage.workers.offer(claims[3:], stage.clock.monotonic_s() - 10)
    await until(lambda: stage.row(1).error)
    await until(lambda: stage.row(4).leased_until_s < 0)
    assert order(4) not in {claim.correlation_id for claim in stage.performed}
    stage.outside.set()
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert order(4) in {claim.correlation_id for claim in stage.performed}


async def test_the_waiting_is_bounded(stage: Stage) -> None:
    """What is committed on top of what may wait here is given back at once, for whoever has room."""
    claims = stage.intend(*range(1, 9), leased_s=30)
    stage.outside.clear()
    stage.workers.offer(claims[:3], stage.clock.monotonic_s())
    stage.workers.offer(claims[3:], stage.clock.monotonic_s())
    given_back = [number for number in range(1, 9) if number > 3 + LIMITS.waiting_max]
    await until(lambda: [number for number in range(1, 9) if stage.row(number).leased_until_s < 0] == given_back)
    assert given_back


async def test_concurrency_is_bounded(stage: Stage) -> None:
    """So many are carried out at once and no more; the others follow as soon as there is room."""
    claims = stage.intend(*range(1, 8), leased_s=30)
    stage.outside.clear()
    async with running(stage.shell.run()):
        for claim in claims:
            stage.workers.offer([claim], stage.clock.monotonic_s())
        await until(lambda: stage.at_once == LIMITS.performing_max)
        stage.outside.set()
        await until(lambda: stage.done)
    assert stage.at_once_most == LIMITS.performing_max
    assert len(stage.performed) == 7


async def test_nothing_is_claimed_while_some_waits(stage: Stage) -> None:
    """What is due and was claimed is begun before more of it is claimed: leases would pass in vain."""
    stage.intend(*range(1, 10))
    stage.outside.clear()
    assert [await stage.workers.poll() for _ in range(3)] == [LIMITS.poll_max, 0, 0]
    assert [stage.row(number).claim.token for number in range(1, 10)] == [1, 1, 1, 1, 0, 0, 0, 0, 0]
    stage.outside.set()
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)


async def test_a_backlog_is_not_left_to_the_next_look(stage: Stage) -> None:
    """Where one look did not see all that is due, the next one follows as soon as that is begun."""
    stage.intend(*range(1, 3 * LIMITS.poll_max))
    began_s = stage.clock.monotonic_s()
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert stage.clock.monotonic_s() - began_s < LIMITS.poll_interval_s


async def test_a_turn_ends_with_the_answer(stage: Stage) -> None:
    """While answers wait for their commit, others are asked: the outside party sets the bound, not the database."""
    claims = stage.intend(*range(1, 8), leased_s=30)
    for claim in claims[: LIMITS.waiting_max]:
        stage.workers.offer([claim], stage.clock.monotonic_s())
    await until(lambda: len(stage.performed) == LIMITS.waiting_max > LIMITS.performing_max)
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)


async def test_answers_that_wait_are_bounded(stage: Stage) -> None:
    """While nothing can be committed, so many answers wait and no more are asked for; then the others follow."""
    for claim in stage.intend(*range(1, 10), leased_s=30):
        stage.workers.offer([claim], stage.clock.monotonic_s())
        await passes()
    assert len(stage.performed) == LIMITS.answering_max
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)


async def test_what_is_due_comes_before_what_is_fresh(stage: Stage) -> None:
    """An intent that waits already is not overtaken by those that were just committed."""
    fresh = stage.intend(1, 2, 3, 4, 5, leased_s=30)
    stage.intend(6)
    stage.outside.clear()
    for claim in fresh:
        stage.workers.offer([claim], stage.clock.monotonic_s())
    assert await stage.workers.poll() == 1
    stage.outside.set()
    async with running(stage.shell.run()):
        await until(lambda: stage.done)
    assert [claim.correlation_id for claim in stage.performed] == [order(number) for number in (1, 2, 3, 6, 4, 5)]
