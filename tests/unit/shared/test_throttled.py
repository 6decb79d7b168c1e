"""One thing is done for many calls, and again where it fails."""

import asyncio

import pytest

from shared.ports import WorldError
from shared.throttled import AGAIN, Throttled
from tests.unit.shared.fakes import FakeClock
from tests.unit.shared.loop import passes, running, until

INTERVAL_S = 1.0


class Work:
    """It is done, or fails."""

    def __init__(self) -> None:
        self.done = 0
        self.failing: list[Exception] = []

    async def do(self) -> None:
        if self.failing:
            raise self.failing.pop()
        self.done += 1


@pytest.fixture
def work() -> Work:
    """What is to be done."""
    return Work()


@pytest.fixture
def throttled(work: Work) -> Throttled:
    """What does it."""
    return Throttled(work.do, INTERVAL_S, FakeClock(), "it is not done")


async def test_the_first_call_is_done_at_once_and_the_next_ones_together(work: Work, throttled: Throttled) -> None:
    """Each call is followed by a doing, and without a call nothing is done."""
    async with running(throttled.run()):
        await asyncio.sleep(INTERVAL_S)
        assert work.done == 0
        throttled.call()
        await passes()
        assert work.done == 1
        for _ in range(5):
            throttled.call()
        await passes()
        assert work.done == 1
        await asyncio.sleep(3 * INTERVAL_S)
        assert work.done == 2


async def test_what_fails_is_done_again_without_another_call(work: Work, throttled: Throttled) -> None:
    """After longer and longer waits."""
    work.failing = [WorldError("away") for _ in range(3)]
    loop = asyncio.get_running_loop()
    async with running(throttled.run()):
        began_s = loop.time()
        throttled.call()
        await until(lambda: work.done)
        assert loop.time() - began_s >= sum(AGAIN.delay_s(failures) for failures in (1, 2, 3))
        await asyncio.sleep(10 * INTERVAL_S)
        assert work.done == 1


async def test_any_other_error_ends_it(work: Work, throttled: Throttled) -> None:
    """Whoever runs it has to know."""
    work.failing = [ValueError("a bug")]
    throttled.call()
    with pytest.raises(ValueError, match="a bug"):
        await throttled.run()
