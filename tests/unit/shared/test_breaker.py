"""The circuit breaker: it opens after failures in a row, lets one ask when its time is over, closes on an answer."""

import asyncio

import pytest

from shared.backoff import Backoff
from shared.breaker import Breaker, BreakerLimits, OpenError
from shared.intents import UnansweredError
from tests.unit.shared.fakes import FakeClock
from tests.unit.shared.loop import passes

LIMITS = BreakerLimits(failures_max=3, open=Backoff(first_s=10.0, most_s=40.0), probe_s=2.0)
NEARLY_S = 4.0
"""Real time passes, too, between two looks."""


class Party:
    """An outside party that answers, or does not; or only once it is let."""

    def __init__(self, clock: FakeClock) -> None:
        self.breaker = Breaker("the party", clock, LIMITS)
        self.asked = 0
        self.is_away = False
        self.answering = asyncio.Event()
        self.answering.set()

    async def question(self) -> str:
        self.asked += 1
        away = self.is_away
        await self.answering.wait()
        if away:
            raise UnansweredError("away")
        return "here"

    async def ask(self) -> str:
        return await self.breaker.ask(self.question)

    async def fail(self, times: int) -> None:
        self.is_away = True
        for _ in range(times):
            with pytest.raises(UnansweredError, match="away"):
                await self.ask()

    async def refused_for_s(self) -> float:
        """Ask while nobody may, and give the wait that is advised."""
        asked = self.asked
        with pytest.raises(OpenError) as refused:
            await self.ask()
        assert self.asked == asked
        return refused.value.retry_after_s


@pytest.fixture
async def party(clock: FakeClock) -> Party:
    return Party(clock)


async def test_failures_in_a_row_open_it(party: Party) -> None:
    """Up to the bound everybody asks; from then on nobody does, and is told when to come again."""
    await party.fail(3)
    assert await party.refused_for_s() == pytest.approx(10, abs=NEARLY_S)
    assert party.asked == 3


async def test_an_answer_between_failures_keeps_it_closed(party: Party) -> None:
    """It is a party that is away that is left in peace, not one that fails now and then."""
    for _ in range(5):
        await party.fail(2)
        party.is_away = False
        assert await party.ask() == "here"


async def test_one_asks_when_the_time_is_over(party: Party, clock: FakeClock) -> None:
    """The others wait for what that one hears; its answer lets all of them ask."""
    await party.fail(3)
    await clock.sleep(10)
    party.is_away = False
    party.answering.clear()
    probe = asyncio.create_task(party.ask())
    await passes()
    assert [await party.refused_for_s() for _ in range(3)] == [2.0] * 3
    party.answering.set()
    assert await probe == "here"
    assert await asyncio.gather(*(party.ask() for _ in range(5))) == ["here"] * 5


async def test_a_probe_that_fails_opens_it_for_longer(party: Party, clock: FakeClock) -> None:
    """Each time twice as long, up to a bound; once it was closed it begins anew."""
    await party.fail(3)
    for open_s in (10, 20, 40, 40):
        assert await party.refused_for_s() == pytest.approx(open_s, abs=NEARLY_S)
        await clock.sleep(open_s)
        await party.fail(1)
    await clock.sleep(40)
    party.is_away = False
    await party.ask()
    await party.fail(3)
    assert await party.refused_for_s() == pytest.approx(10, abs=NEARLY_S)


async def test_what_was_asked_before_it_opened_decides_nothing(party: Party) -> None:
    """A late answer does not close it, nor do late failures keep it open for longer: the probe decides."""
    party.answering.clear()
    late = [asyncio.create_task(party.ask())]
    await passes()
    party.is_away = True
    late += [asyncio.create_task(party.ask()) for _ in range(10)]
    await passes()
    await asyncio.gather(*(party.breaker.ask(_away) for _ in range(3)), return_exceptions=True)
    party.answering.set()
    answer, *failures = await asyncio.gather(*late, return_exceptions=True)
    assert (answer, {type(failure) for failure in failures}) == ("here", {UnansweredError})
    assert await party.refused_for_s() == pytest.approx(10, abs=NEARLY_S)


async def test_a_probe_that_is_cancelled_lets_another_ask(party: Party, clock: FakeClock) -> None:
    """Nobody knows what it would have heard: it counts as no answer, and does not keep the place for ever."""
    await party.fail(3)
    await clock.sleep(10)
    party.answering.clear()
    probe = asyncio.create_task(party.ask())
    await passes()
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    party.is_away = False
    party.answering.set()
    await clock.sleep(20)
    assert await party.ask() == "here"


async def _away() -> str:
    raise UnansweredError("away")
