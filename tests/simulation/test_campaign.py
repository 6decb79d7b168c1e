"""Random mode: worlds and schedules from a seed, and Hypothesis to find the smallest world that breaks."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.envelope import Logged
from shared.ports import LogEntry
from tests.simulation.campaign import play
from tests.simulation.choices import BUDGETS
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.steps import take
from tests.simulation.store import START
from tests.simulation.tables import OutboxRow, Tables
from tests.simulation.windows import Watch
from tests.simulation.worlds import Setting, cancel, drawn, order_id, place

SCHEDULES = 300
RARER = (
    "the money is taken after the silence was given up on",
    "two replicas ask for one intent",
    "what was parked is released",
    "a dead letter is replayed at once",
)
"""What a campaign of this size may miss; `make simulate` must not."""


@st.composite
def workloads(draw: st.DrawFn) -> Setting:
    """Draw orders, cancellations, goods and misfortunes; smaller is fewer of each."""
    orders = draw(st.integers(1, 3))
    cancels = draw(st.sets(st.integers(1, orders)))
    commands = [place(number, {"violin": 1}) for number in range(1, orders + 1)] + [cancel(each) for each in cancels]
    budgets = {name: draw(st.integers(0, 2)) for name in BUDGETS}
    return Setting("drawn", "", tuple(commands), {"violin": draw(st.integers(1, orders))}, budgets, {})


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(workloads(), st.integers(0, 1_000))
def test_any_workload_ends_right(workload: Setting, seed: int) -> None:
    """Hypothesis shrinks the workload that breaks a promise; its seed tells the schedule."""
    schedule = play(workload.world(), seed, ProcessSteps())
    assert schedule.breaks == ()


def test_a_campaign_meets_the_rare_moments() -> None:
    """A few schedules meet nearly all of them, and break nothing."""
    processes, watch = ProcessSteps(), Watch()
    for number in range(SCHEDULES):
        schedule = play(drawn(random.Random(number)).world(), number, processes, watch)
        assert schedule.breaks == (), f"schedule {number}"
    assert [window for window in watch.missed if window not in RARER] == []


def test_a_seed_is_a_schedule() -> None:
    """The same seed plays the same, whatever was played before it: else what a campaign finds could not be replayed."""
    processes = ProcessSteps()
    for seed in range(60):
        world = drawn(random.Random(seed)).world()
        among_others, alone = play(world, seed, processes), play(world, seed, ProcessSteps())
        assert (among_others.actions, among_others.end.key) == (alone.actions, alone.end.key), f"seed {seed}"


def test_an_event_is_known_by_what_it_tells() -> None:
    """Its id says what caused it: a cancellation releases what was held, in one world this, in another that."""
    goods = (b"violin", b"bow")
    one_order = order_id(1)
    logged = [Logged(one_order, "stock.released.v1", "inventory", each, one_order, None, None, START) for each in goods]
    entries = [LogEntry(order_id(1), 1, each, public=True) for each in logged]
    one, other = (Tables(outbox={order_id(1): OutboxRow(entry)}) for entry in entries)
    assert one.key != other.key
    one, other = (Tables(logs={order_id(1): (entry,)}) for entry in entries)
    assert one.key != other.key


def test_what_is_looked_up_is_what_would_be_done() -> None:
    """A process that is made anew from its memory, and shown all orders, does just what the one that went on did."""
    went_on = ProcessSteps()
    for seed in range(12):
        world = drawn(random.Random(seed)).world()
        for action in play(world, seed, went_on).actions:
            anew, after = take(world, action, ProcessSteps(parting=False)), take(world, action, went_on)
            assert anew is not None
            assert after is not None
            assert anew.key == after.key
            world = after
