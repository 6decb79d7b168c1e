"""Random mode: schedules drawn from a seed, in worlds drawn from it too."""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from infra.audit.findings import Break
from shared.ports import Claim
from tests.simulation.choices import BUG, PAIR, SILENCE, budgets_left, faults_of, misfortunes, steps
from tests.simulation.explore import Watch, nobody
from tests.simulation.facts import broken_at_once, broken_at_rest
from tests.simulation.process import Asking
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.steps import take
from tests.simulation.world import Action, World

Chooser = Callable[[World], Action | None]
"""Says what happens next; None once nothing can."""

STEPS_MAX = 2_000
"""With only so many misfortunes to come every world comes to rest long before."""
TOGETHER_MAX_MESSAGES = 4
THEMSELVES = (SILENCE, PAIR)
"""Misfortunes that are some even where nothing else goes wrong in them."""


@dataclass(frozen=True, slots=True)
class Odds:
    """How likely it is that a step goes wrong, that something goes wrong between steps, that messages come together."""

    fault: float
    misfortune: float
    together: float = 0.2
    again: float = 0.8
    """That what has failed fails again."""
    slow: float = 0.0
    """That whoever asks for something lets others go first."""


MOODS = (Odds(0.05, 0.02), Odds(0.1, 0.05), Odds(0.4, 0.2))
"""One is drawn for each schedule: where things go wrong all the time, they go wrong again in the same place."""
SLOW = (0.0, 0.5, 0.95)
"""Likewise: who is slow to cancel meets an order that was confirmed."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """What was played, and what it broke."""

    actions: tuple[Action, ...]
    breaks: tuple[Break, ...]
    end: World


def play(world: World, seed: object, processes: ProcessSteps, watch: Watch = nobody) -> Schedule:
    """Take steps as chance has it, until nothing can happen any more or a promise is broken."""
    chance = random.Random(str(seed))
    odds = drawn_odds(chance)
    return walk(world, lambda here: choose(here, chance, odds), processes, watch)


def walk(world: World, chosen: Chooser, processes: ProcessSteps, watch: Watch = nobody) -> Schedule:
    """Take steps as they are chosen, until none is or a promise is broken."""
    actions = list[Action]()
    while len(actions) < STEPS_MAX:
        action = chosen(world)
        if action is None:
            return Schedule(tuple(actions), tuple(broken_at_rest(world)), world)
        action, after = step(world, action, processes)
        actions.append(action)
        watch(world, action, after)
        if breaks := broken_at_once(world, after):
            return Schedule(tuple(actions), tuple(breaks), after)
        world = after
    never = Break("settles", "all of them", f"nothing is at rest after {STEPS_MAX} steps")
    return Schedule(tuple(actions), (never,), world)


def step(world: World, action: Action, processes: ProcessSteps) -> tuple[Action, World]:
    """Give the step that was taken, and the world after it: where what was to go wrong never came up, nothing does."""
    after = take(world, action, processes)
    if after is None:
        action = action._replace(fault=None, budget=action.budget if action.budget in THEMSELVES else "")
        after = take(world, action, processes)
        assert after is not None
    return action, after


def drawn_odds(chance: random.Random) -> Odds:
    """Draw how likely things are in one schedule."""
    return replace(chance.choice(MOODS), slow=chance.choice(SLOW))


def choose(world: World, chance: random.Random, odds: Odds) -> Action | None:
    """Draw what happens next; None once nothing can."""
    left = budgets_left(world)
    if left and chance.random() < odds.misfortune and (bad := list(misfortunes(world, left))):
        return _one_of(bad, chance)
    possible = steps(world)
    if not possible:
        return None
    if chance.random() < odds.slow:
        possible = [each for each in possible if each.kind != "command"] or possible
    step = chance.choice(possible)
    if step.kind == "deliver" and chance.random() < odds.together:
        step = _together(step, possible, chance)
    if (worse := _failing_again(world, step)) is not None and worse.budget in left and chance.random() < odds.again:
        return worse
    if left and chance.random() < odds.fault and (bad := list(faults_of(step, left))):
        return _one_of(bad, chance)
    return step


def _one_of(bad: Sequence[Action], chance: random.Random) -> Action:
    """Choose a kind of misfortune, and then one of it: there are more queues to lose than letters to replay."""
    budget = chance.choice(list(dict.fromkeys(action.budget for action in bad)))
    return chance.choice([action for action in bad if action.budget == budget])


def _failing_again(world: World, step: Action) -> Action | None:
    """Give a step as it fails if what it is about has failed before: a bug is there until it is mended, and who was
    silent once is silent for a while."""
    match step.kind:
        case "deliver" if step.fault is None and any(each.headers or each.redelivered for each in step.what):
            return step._replace(budget=BUG)
        case "answer" if any(claim.raised for claim in _asking(world, step.service, step.what)):
            return step._replace(budget=BUG)
        case "handle" if any(claim.attempts > 1 for claim in _asking(world, step.service, step.what[0].asking)):
            return Action("silence", step.service, step.what[0].asking, budget=SILENCE)
    return None


def _asking(world: World, service: str, asking: Asking) -> list[Claim]:
    """Give the claim that somebody asks under, if they still do."""
    return [each for each in world.memories[service].asking if (each.intent_id, each.token) == asking]


def _together(step: Action, possible: Collection[Action], chance: random.Random) -> Action:
    """Have more messages of the same service come at once: they share a transaction."""
    others = [each.what[0] for each in possible if each.kind == "deliver" and each.service == step.service]
    others = [parcel for parcel in others if parcel is not step.what[0]]
    more = chance.sample(others, min(len(others), chance.randint(1, TOGETHER_MAX_MESSAGES - 1)))
    return step._replace(what=(*step.what, *more))
