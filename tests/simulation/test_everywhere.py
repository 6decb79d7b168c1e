"""Exhaustive mode: whatever order things come in, with so much going wrong, every promise holds in every state."""

import pytest

from tests.simulation.explore import explore
from tests.simulation.windows import Watch
from tests.simulation.worlds import SETTINGS

STATES_MIN = {"one": 10_000, "two": 30_000, "cancel": 50_000, "late": 80, "deadly": 80}
"""Far fewer would mean that it was not everywhere."""
MET_IN_CANCEL = (
    "the money is taken after the order was cancelled",
    "a charge comes when its key is closed",
    "the release comes before the reservation",
    "a capture is told to an order that was cancelled",
    "the deadline passes while the capture is on its way",
    "a confirmed order is cancelled",
    "stock is committed for an order that was cancelled",
    "a process dies between confirm and delete",
)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_state_of_a_world(name: str) -> None:
    """No state breaks a promise, and every end is a right one."""
    watch = Watch()
    explored = explore(SETTINGS[name].world(), watch=watch)
    assert explored.counterexample is None
    assert explored.states >= STATES_MIN[name]
    assert explored.ends
    if name == "cancel":
        assert [window for window in MET_IN_CANCEL if not watch.met[window]] == []


@pytest.mark.parametrize(("name", "budgets"), [("one", {"duplicate": 1, "crash": 0}), ("two", {"duplicate": 0})])
def test_what_is_left_out_leads_nowhere_else(name: str, budgets: dict[str, int]) -> None:
    """Trying steps in fewer orders comes to the same ends, by way of fewer states."""
    world = SETTINGS[name].world(**budgets)
    everything, enough = explore(world, is_reduced=False), explore(world)
    assert everything.counterexample is None
    assert enough.ends.keys() == everything.ends.keys()
    assert enough.states < everything.states
