"""What breaks a promise, made short: orders and steps are left out as long as the same promise breaks.

Source: A. Zeller and R. Hildebrandt, Simplifying and Isolating Failure-Inducing Input, 2002 (delta debugging).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tests.simulation.campaign import Schedule, walk
from tests.simulation.choices import PAIR, budgets_left, misfortunes, steps
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.world import Action, World

TRIES_MAX_SCHEDULES = 1_000
"""So many schedules are tried; each leaves something out of the shortest that was found so far."""


class Tale(NamedTuple):
    """A schedule, and the world that it begins in."""

    beginning: World
    schedule: Schedule

    @property
    def length(self) -> tuple[int, int]:
        """How many steps it takes, and in how many of them something goes wrong."""
        actions = self.schedule.actions
        return len(actions), sum(bool(action.budget) for action in actions)


def shortened(tale: Tale, processes: ProcessSteps) -> Tale:
    """Give the shortest tale that is found of the same broken promise."""
    broken = {each.rule for each in tale.schedule.breaks}
    tries, found = 0, True
    while found:
        found = False
        for beginning, actions in _shorter(tale):
            if (tries := tries + 1) > TRIES_MAX_SCHEDULES:
                return tale
            tried = Tale(beginning, follow(beginning, actions, processes))
            if tried.length < tale.length and broken & {each.rule for each in tried.schedule.breaks}:
                tale, found = tried, True
                break
    return tale


def _shorter(tale: Tale) -> Iterator[tuple[World, Sequence[Action]]]:
    """Leave out all of an order, then steps: half of them, a quarter, … and in the end one; or only what goes wrong."""
    world, actions = tale.beginning, tale.schedule.actions
    for order_id in dict.fromkeys(command.order_id for command in world.commands):
        yield world._replace(commands=tuple(each for each in world.commands if each.order_id != order_id)), actions
    size = len(actions) // 2
    while size:
        for start in range(0, len(actions), size):
            yield world, (*actions[:start], *actions[start + size :])
        size //= 2
    for place, action in enumerate(actions):
        if action.budget:
            yield world, (*actions[:place], action._replace(fault=None, budget=""), *actions[place + 1 :])


def follow(world: World, actions: Iterable[Action], processes: ProcessSteps) -> Schedule:
    """Take what can be taken of some steps, and then whatever goes on by itself."""
    script = iter(actions)

    def chosen(here: World) -> Action | None:
        planned = next((action for action in script if is_possible(here, action)), None)
        return planned or next(iter(steps(here)), None)

    return walk(world, chosen, processes)


def is_possible(world: World, action: Action) -> bool:
    """Say whether a step can be taken in a world that nobody had in mind when it was drawn."""
    left, by_itself = budgets_left(world), steps(world)
    if action in by_itself:
        return True
    if action.budget and action.budget not in left:
        return False
    if action.kind == "deliver" and action.budget != PAIR:
        lying = {each.what[0] for each in by_itself if each.kind == "deliver"}
        return lying.issuperset(action.what)
    return action._replace(fault=None, budget="") in by_itself or action in misfortunes(world, left)
