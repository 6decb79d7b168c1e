"""Random mode: schedules drawn from a seed, in worlds drawn from it too."""

import random
from collections.abc import Collection
from dataclasses import dataclass

from infra.audit.findings import Break
from tests.simulation.choices import budgets_left, faults_of, misfortunes, steps
from tests.simulation.explore import Watch
from tests.simulation.facts import broken_at_once, broken_at_rest
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.steps import take
from tests.simulation.world import Action, World

STEPS_MAX = 2_000
"""With only so many misfortunes to come every world comes to rest long before."""
TOGETHER_MAX_MESSAGES = 4


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely it is that a step goes wrong, that something goes wrong between steps, that messages come together."""

    fault: float = 0.1
    misfortune: float = 0.05
    together: float = 0.2


@dataclass(frozen=True, slots=True)
class Schedule:
    """What was played, and what it broke."""

    actions: tuple[Action, ...]
    breaks: tuple[Break, ...]
    end: World


def play(world: World, seed: object, processes: ProcessSteps, watch: Watch, odds: Odds = Odds()) -> Schedule:
    """Take steps as chance has it, until nothing can happen any more or a promise is broken."""
    chance, actions = random.Random(str(seed)), list[Action]()
    while len(actions) < STEPS_MAX:
        taken = step(world, chance, processes, odds)
        if taken is None:
            return Schedule(tuple(actions), tuple(broken_at_rest(world)), world)
        action, after = taken
        actions.append(action)
        watch(world, action, after)
        if breaks := broken_at_once(world, after):
            return Schedule(tuple(actions), tuple(breaks), after)
        world = after
    never = Break("settles", "all of them", f"nothing is at rest after {STEPS_MAX} steps")
    return Schedule(tuple(actions), (never,), world)


def step(
    world: World, chance: random.Random, processes: ProcessSteps, odds: Odds = Odds()
) -> tuple[Action, World] | None:
    """Take a step that chance draws, and give it with the world after it; None where nothing can happen any more."""
    action = _drawn(world, chance, odds)
    if action is None:
        return None
    if (after := take(world, action, processes)) is None:  # what was to go wrong did not come up: then nothing does
        action = action._replace(fault=None, budget="")
        after = take(world, action, processes)
        assert after is not None
    return action, after


def _drawn(world: World, chance: random.Random, odds: Odds) -> Action | None:
    left = budgets_left(world)
    if left and chance.random() < odds.misfortune and (bad := list(misfortunes(world, left))):
        return chance.choice(bad)
    possible = steps(world)
    if not possible:
        return None
    step = chance.choice(possible)
    if step.kind == "deliver" and chance.random() < odds.together:
        step = _together(step, possible, chance)
    if left and chance.random() < odds.fault and (bad := list(faults_of(step, left))):
        return chance.choice(bad)
    return step


def _together(step: Action, possible: Collection[Action], chance: random.Random) -> Action:
    """Have more messages of the same service come at once: they share a transaction."""
    others = [each.what[0] for each in possible if each.kind == "deliver" and each.service == step.service]
    others = [parcel for parcel in others if parcel is not step.what[0]]
    more = chance.sample(others, min(len(others), chance.randint(1, TOGETHER_MAX_MESSAGES - 1)))
    return step._replace(what=(*step.what, *more))
