"""The load: customers that ask again under one key, and give up in the end."""

import asyncio
from itertools import islice
from typing import Any

import httpx
import pytest

from scripts.chaos import load
from scripts.chaos.load import Load
from scripts.chaos.schedule import Arrival, arrivals
from tests.unit.scripts.chaos.fakes import FakeShop

DEADLINE_S = 10.0
PASSES = 20
"""Of the loop: more than an order takes that a fake answers."""
REQUEST = httpx.Request("POST", "http://nowhere")
ORDER = Arrival(0, 0.0, "tok_approved", {"rosin": 1}, cancels=False)
LATER = Arrival(1, 1_000.0, "tok_approved", {"rosin": 1}, cancels=False)
CANCELLED = Arrival(0, 0.0, "tok_approved", {"rosin": 1}, cancels=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask again at once."""
    monkeypatch.setattr(load, "ASK_AGAIN_MIN_S", 0.0)
    monkeypatch.setattr(load, "ASK_AGAIN_MAX_S", 0.0)


async def run(shop: FakeShop, *orders: Arrival) -> Load:
    """Let orders arrive, and wait until each customer is done."""
    running = Load(shop, orders)  # type: ignore[arg-type]  # a fake
    running.begin()
    async with asyncio.timeout(DEADLINE_S):
        while len(running.placed) + running.lost + running.held_back < len(orders):  # noqa: ASYNC110 - numbers set no event
            await asyncio.sleep(0)
    await running.end()
    return running


def raising(*errors: Exception) -> FakeShop:
    """Make a shop that fails so often before it answers."""
    left = iter(errors)

    def answer() -> None:
        for error in left:
            raise error

    return FakeShop(answer)


def status(code: int) -> httpx.HTTPStatusError:
    """An answer that is no success."""
    return httpx.HTTPStatusError("no", request=REQUEST, response=httpx.Response(code, request=REQUEST))


async def test_who_got_no_answer_asks_again_under_the_same_key() -> None:
    """Or one order would become two."""
    shop = raising(httpx.ConnectError("away"), status(503), status(500))
    told = await run(shop, ORDER)
    assert len(shop.keys) == 4
    assert len(set(shop.keys)) == 1
    assert len(told.placed) == 1
    assert told.answers == {"no answer": 1, "503": 1, "500": 1, "2xx": 1}


async def test_what_is_refused_is_not_asked_again() -> None:
    """Asking again changes nothing."""
    shop = raising(status(422))
    told = await run(shop, ORDER)
    assert (len(shop.keys), told.placed, told.lost) == (1, [], 1)


async def test_patience_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows whether such an order was placed."""
    monkeypatch.setattr(load, "PATIENCE_S", 0.0)
    told = await run(FakeShop(), ORDER)
    assert (told.placed, told.lost) == ([], 1)


async def test_requests_that_wait_do_so_before_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own queue is looked through with every answer: a crowd in it would be all that there is to do."""
    monkeypatch.setattr(load, "ASKING_MAX", 2)
    under_way, most, goes_on = 0, 0, asyncio.Event()

    class SlowShop(FakeShop):
        async def place(self, *order: Any) -> dict[str, Any]:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await goes_on.wait()
            under_way -= 1
            return await super().place(*order)

    shop = SlowShop()
    running = Load(shop, [ORDER] * 10)  # type: ignore[arg-type]  # a fake
    running.begin()
    await _pass()
    assert under_way == 2
    goes_on.set()
    async with asyncio.timeout(DEADLINE_S):
        while len(running.placed) < 10:  # noqa: ASYNC110 - numbers set no event
            await asyncio.sleep(0)
    await running.end()
    assert most == 2


async def test_some_cancel() -> None:
    """Right after they were told that their order is placed."""
    shop = FakeShop()
    told = await run(shop, CANCELLED)
    assert shop.cancelled == told.placed


async def test_customers_who_stay_away_do_not_come_later_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a pause has kept away is not made up for: it would be a crowd."""
    now_s = 0.0
    monkeypatch.setattr(load, "monotonic", lambda: now_s)
    shop = FakeShop()
    running = Load(shop, [ORDER, LATER])  # type: ignore[arg-type]  # a fake
    running.pause()
    running.begin()
    await _pass()
    assert shop.keys == []
    now_s = 2 * LATER.after_s
    running.go_on()
    await _pass()
    assert len(shop.keys) == 1
    await running.abandon()


async def _pass() -> None:
    for _ in range(PASSES):
        await asyncio.sleep(0)


async def test_orders_in_flight_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held back is counted."""
    monkeypatch.setattr(load, "IN_FLIGHT_MAX_ORDERS", 0)
    told = await run(FakeShop(), *islice(arrivals(1e6, 3, "1"), 3))
    assert (told.placed, told.held_back) == ([], 3)
