"""News of commits: many are told together, what logged nothing is not told, what cannot be told is told later."""

import asyncio

import pytest

from shared.batch import Answered, Duplicate, Result
from shared.news import NEWS_INTERVAL_S, News
from shared.outcome import Ignored, advance
from shared.ports import Answer, WorldError
from shared.shell import Committed
from tests.unit.shared.fakes import FakeClock
from tests.unit.shared.loop import passes, running, until
from tests.unit.shared.toy import Played, Score, order

LOGGED = advance(Score(order()), Played(order_id=order(), nth=1))
ANSWER = Answer(201, {})


class Listeners:
    """They are told, or are out of reach."""

    def __init__(self) -> None:
        self.told = self.missed = 0
        self.away = False

    async def announce(self) -> None:
        if self.away:
            self.missed += 1
            raise WorldError("nobody there")
        self.told += 1


def commit(*results: Result) -> Committed:
    """Give a commit with these results."""
    return Committed([], results, [], [], 0.0)


@pytest.fixture
def listeners() -> Listeners:
    """Who is told."""
    return Listeners()


@pytest.fixture
def news(listeners: Listeners) -> News:
    """What tells them."""
    return News(listeners.announce, FakeClock())


@pytest.mark.parametrize("result", [LOGGED, Answered(ANSWER, LOGGED)])
async def test_what_was_logged_is_told_at_once(news: News, listeners: Listeners, result: Result) -> None:
    """Also where a command logged it, and whatever else was in its batch."""
    async with running(news.run()):
        news.committed(commit(Duplicate(), result))
        await passes()
        assert listeners.told == 1


@pytest.mark.parametrize(
    "result", [Duplicate(), Ignored("too late"), Answered(ANSWER), Answered(ANSWER, Ignored("too late"))]
)
async def test_what_logged_nothing_is_not_told(news: News, listeners: Listeners, result: Result) -> None:
    """There is nothing to read."""
    async with running(news.run()):
        news.committed(commit(result))
        await asyncio.sleep(10 * NEWS_INTERVAL_S)
        assert listeners.told == 0


async def test_many_commits_are_one_news(news: News, listeners: Listeners) -> None:
    """The first at once, and what comes soon after it together: a busy service publishes ten in a second."""
    async with running(news.run()):
        for _ in range(100):
            news.committed(commit(LOGGED))
            await asyncio.sleep(NEWS_INTERVAL_S / 20)
        await until(lambda: listeners.told >= 6)
        await asyncio.sleep(10 * NEWS_INTERVAL_S)
        assert listeners.told in (6, 7)


async def test_what_cannot_be_told_is_told_later(news: News, listeners: Listeners) -> None:
    """It is tried seldom while nobody is there, and once somebody is there it needs no other commit."""
    async with running(news.run()):
        listeners.away = True
        for _ in range(600):
            news.committed(commit(LOGGED))
            await asyncio.sleep(0.1)
        assert 10 <= listeners.missed <= 25
        listeners.away = False
        await until(lambda: listeners.told)
        await asyncio.sleep(60.0)
        assert listeners.told == 1
