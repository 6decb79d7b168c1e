"""The open loop: arrivals wait for nobody, latency counts from the intended arrival, nothing is dropped in silence."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.unit.benchmarks.shop_counter import Counter

PLANNED = 50
"""In one second."""
COMMAND_TIMEOUT_S = 240.0


@asynccontextmanager
async def playing(counter: Counter, in_flight_max: int) -> AsyncIterator["asyncio.Task[dict[str, Any]]"]:
    """Play a plan against a counter, in a process of its own; its course is the task's result."""
    async with counter.serving() as port:
        command = [sys.executable, "-m", "tests.unit.benchmarks.open_loop", str(port), str(in_flight_max)]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        course = asyncio.create_task(_course(process))
        try:
            yield course
        finally:
            if process.returncode is None:
                process.kill()


async def _course(process: asyncio.subprocess.Process) -> dict[str, Any]:
    printed, _ = await asyncio.wait_for(process.communicate(), COMMAND_TIMEOUT_S)
    course: dict[str, Any] = json.loads(printed)
    return course


async def test_arrivals_wait_for_nobody() -> None:
    """All fifty orders are asked for while not one has been answered."""
    counter = Counter()
    async with playing(counter, in_flight_max=PLANNED) as course:
        await counter.placed(PLANNED)
        counter.opens.set()
        visits = (await course)["visits"]
    assert all(visit["settled_after_s"] for visit in visits)
    assert visits[0]["settled_after_s"] > visits[-1]["arrival"]["at_s"] - visits[0]["arrival"]["at_s"]


async def test_a_stall_counts_for_those_that_it_kept_from_beginning() -> None:
    """With five in flight the sixth begins when there is a place, and its latency counts from when it was meant to."""
    counter = Counter()
    async with playing(counter, in_flight_max=5) as course:
        await counter.placed(5)
        await asyncio.sleep(0.5)  # the stall
        assert len(counter.asked) == 5
        counter.opens.set()
        told = await course
    visits = told["visits"]
    assert len(visits) == PLANNED
    assert told["held_up"] >= 10
    assert visits[5]["began_late_s"] > 0.3
    assert all(visit["settled_after_s"] >= visit["began_late_s"] for visit in visits)


async def test_what_is_never_begun_is_counted() -> None:
    """After twice the planned time no more orders begin, and each one that did not is told."""
    counter = Counter()
    async with playing(counter, in_flight_max=5) as course:
        await counter.placed(5)
        await asyncio.sleep(2.5)  # a stall of more than twice the planned second
        counter.opens.set()
        told = await course
    assert (len(told["visits"]), told["not_begun"]) == (5, PLANNED - 5)


async def test_a_customer_goes_the_whole_way_and_asks_again_under_the_same_key() -> None:
    """Place, again without an answer, wait; cancel at once or when settled, and wait again."""
    counter = Counter()
    counter.opens.set()
    counter.hangs_up_times = 1
    async with playing(counter, in_flight_max=PLANNED) as course:
        visits = (await course)["visits"]
    ways = {visit["arrival"]["kind"]["name"]: counter.asked[visit["order_id"]] for visit in visits}
    place = ["POST /orders", "POST /orders"]
    assert ways == {
        "confirmed": [*place, "GET wait"],
        "declined": [*place, "GET wait"],
        "out of stock": [*place, "GET wait"],
        "cancelled at once": [*place, "POST cancel", "GET wait"],
        "confirmed, then cancelled": [*place, "GET wait", "POST cancel", "GET wait"],
    }
    assert not any(visit["given_up"] for visit in visits)
