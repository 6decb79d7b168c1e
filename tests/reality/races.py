"""Which two steps are taken at the same time, and what the model says that they may come to: one after the other."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.simulation.broker import LANES, Parcel
from tests.simulation.choices import EARLY, STALL, budgets_left, faults_of, misfortunes, steps
from tests.simulation.world import Action, World

BY_THE_FIRST = frozenset({"answer", "command", "deliver", "drain", "poll", "sweep", "tidy"})
BY_THE_SECOND = frozenset({"command", "deliver", "drain", "poll"})
"""What a replica can do that knows of no question and of nothing confirmed."""
TWICE_SHARE = 0.4
"""So many of the messages come to both replicas, as when one of them has lost its connection and goes on."""
TOGETHER_MAX_MESSAGES = 3
FAULT_SHARE = 0.3
"""In so many of the races something goes wrong at the first replica, as long as that is paid for."""


class Race(NamedTuple):
    """Two steps of one service that can be taken at the same time, once there are more copies of some messages."""

    actions: tuple[Action, Action]
    copies: tuple[Parcel, ...] = ()


def drawn_race(world: World, chance: random.Random) -> Race | None:
    """Draw two steps that two replicas of one service can take at the same time; None where there are none."""
    if world.deadly:  # nobody has a choice about what ends every process
        return None
    by_service = defaultdict(list)
    for action in (*steps(world), *_timers(world)):
        by_service[action.service].append(action)
    pairs = [pair for actions in by_service.values() for pair in _pairs(world, actions)]
    if not pairs:
        return None
    first, second = chance.choice(pairs)
    race = Race((first, second))
    if first.kind == second.kind == "deliver":
        race = _of_messages(world, first.service, chance)
    faults = list(faults_of(race.actions[0], budgets_left(world)))
    if faults and chance.random() < FAULT_SHARE:
        race = race._replace(actions=(chance.choice(faults), race.actions[1]))
    return race


def _timers(world: World) -> Iterator[Action]:
    """Give the deadlines that may pass early, and the leases that may."""
    left = [budget for budget in budgets_left(world) if budget in (EARLY, STALL)]
    yield from (action for action in misfortunes(world, left) if action.kind == "poll")


def _pairs(world: World, actions: Sequence[Action]) -> Iterator[tuple[Action, Action]]:
    for first in actions:
        for second in actions:
            fits = first.kind in BY_THE_FIRST and second.kind in BY_THE_SECOND
            if fits and (first is not second or first.kind == "deliver") and not _need_two_times(first, second):
                yield first, second


def _need_two_times(first: Action, second: Action) -> bool:
    """What is due for one replica is due for all: the model has a choice there that the database has not."""
    return first.kind == second.kind == "poll"


def _of_messages(world: World, service: str, chance: random.Random) -> Race:
    """Give some messages to each, or the same to both, in another order."""
    there = [parcel for parcel in world.parcels if parcel.service == service and parcel.queue in LANES]
    chance.shuffle(there)
    if len(there) == 1 or chance.random() < TWICE_SHARE:
        one = there[: chance.randint(1, TOGETHER_MAX_MESSAGES)]
        other = copies = chance.sample(one, len(one))
    else:
        copies = []
        middle = chance.randint(1, len(there) - 1)
        one, other = there[:middle][:TOGETHER_MAX_MESSAGES], there[middle:][:TOGETHER_MAX_MESSAGES]
    first, second = (Action("deliver", service, tuple(parcels)) for parcels in (one, other))
    return Race((first, second), tuple(copies))
