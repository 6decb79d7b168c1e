"""Exhaustive mode: whatever order things come in, with so much going wrong, every promise holds in every state."""

import pytest

from tests.simulation.choices import BUDGETS, budgets_left, steps
from tests.simulation.explore import explore
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.reduction import enough
from tests.simulation.windows import Watch
from tests.simulation.world import Action, World
from tests.simulation.worlds import SETTINGS

WORLDS: tuple[tuple[str, dict[str, int], int], ...] = (
    ("one", {"crash": 1, "outage": 1}, 5_000),
    ("one", {"crash": 1, "duplicate": 1}, 10_000),
    ("one", {"bug": 1, "outage": 1}, 4_000),
    ("one", {"bug": 1, "silence": 1}, 5_000),
    ("one", {"silence": 2, "stall": 1}, 7_000),
    ("one", {"outage": 1, "early deadline": 1}, 3_000),
    ("one", {"pair": 1, "early deadline": 1}, 1_500),
    ("one", {"other replica": 1, "stall": 1}, 5_000),
    ("one", {"other replica": 1, "silence": 1}, 3_000),
    ("two", {}, 4_000),
    ("two", {"duplicate": 1}, 200_000),
    ("cancel", {"silence": 1, "early deadline": 1}, 8_000),
    ("cancel", {"crash": 1}, 40_000),
    ("cancel", {"duplicate": 1}, 15_000),
    ("cancel", {"outage": 1}, 4_500),
    ("cancel", {"stall": 1}, 7_000),
    ("cancel", {"pair": 1}, 2_500),
    ("late", {}, 80),
    ("deadly", {"crash": 1}, 1_500),
    ("deadly", {"outage": 1}, 150),
)
"""Which worlds, with which misfortunes and no others, and so many states at least: far fewer were not everywhere."""
MET_IN_CANCEL = (
    "the money is taken after the order was cancelled",
    "a charge comes when its key is closed",
    "the release comes before the reservation",
    "a capture is told to an order that was cancelled",
    "the deadline passes while the capture is on its way",
    "a confirmed order is cancelled",
    "stock is committed for an order that was cancelled",
)


@pytest.mark.parametrize(("name", "budgets", "states_min"), WORLDS)
def test_every_state_of_a_world(name: str, budgets: dict[str, int], states_min: int) -> None:
    """No state breaks a promise, and every end is a right one."""
    watch = Watch(MET_IN_CANCEL if "early deadline" in budgets and name == "cancel" else ())
    explored = explore(SETTINGS[name].world(**{**dict.fromkeys(BUDGETS, 0), **budgets}), watch=watch)
    assert explored.counterexample is None
    assert explored.states >= states_min
    assert explored.ends
    assert watch.missed == []


@pytest.mark.parametrize(
    ("name", "budgets"),
    [("one", {"duplicate": 1, "crash": 0}), ("one", {"bug": 1, "duplicate": 0, "crash": 0}), ("two", {})],
)
def test_what_is_left_out_leads_nowhere_else(name: str, budgets: dict[str, int]) -> None:
    """Trying steps in fewer orders comes to the same ends, by way of fewer states."""
    world = SETTINGS[name].world(**budgets)
    everything, enough = explore(world, is_reduced=False), explore(world)
    assert everything.counterexample is None
    assert enough.ends.keys() == everything.ends.keys()
    assert enough.states < everything.states


def test_a_second_copy_can_be_struck_too() -> None:
    """What an inbox drops is dropped at once only where nothing can go wrong any more while it is."""
    found, processes = list[World](), ProcessSteps()

    def watch(_: World, action: Action, after: World) -> None:
        if not budgets_left(after) and len(steps(after)) > 1 and len(enough(after, processes)) == 1:
            found.append(after)

    explore(SETTINGS["one"].world(crash=0, duplicate=1), watch=watch)
    world = found[0]
    (dropped,) = enough(world, processes)
    assert dropped.kind == "deliver"
    struck = enough(world._replace(budgets=(("outage", 1),)), processes)
    assert any(each.fault for each in struck if each.what == dropped.what)
