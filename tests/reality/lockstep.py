"""The model and reality, step by step: whatever the model does is done in PostgreSQL too, and must come to the same."""

import random
from collections.abc import Iterable
from dataclasses import dataclass

from tests.reality.alike import parcels_like
from tests.reality.comparing import differences
from tests.reality.database import Database
from tests.reality.races import Race, drawn_race
from tests.reality.reading import read
from tests.reality.replicas import in_any_order
from tests.reality.steps import RealSteps, take_really
from tests.reality.turnstile import DeadlockError
from tests.simulation.campaign import Odds, choose, drawn_odds, step
from tests.simulation.choices import BUG, CRASH, DUPLICATE, EARLY, LOSS, OUTAGE, SILENCE, STALL
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.spread import Campaign
from tests.simulation.story import sentence
from tests.simulation.tables import Tables
from tests.simulation.world import SERVICES, Action, Budgets, World

STEPS_MAX = 2_000
"""A world comes to rest long before."""
SHOWN_MAX_DIFFERENCES = 5

HARDSHIPS: tuple[Budgets, ...] = (
    {CRASH: 6}, {DUPLICATE: 8}, {OUTAGE: 8}, {BUG: 20}, {SILENCE: 8, STALL: 4}, {EARLY: 4}, {LOSS: 4, DUPLICATE: 4},
)  # fmt: skip
"""What goes wrong over and over in a hard schedule: at random none of it would come so often as to have all effects."""
HARD_ODDS = Odds(fault=0.5, misfortune=0.3)


class DifferenceError(Exception):
    """What happens in PostgreSQL is not what happens in the model. Its text is the story, and what differs."""


class Lockstep:
    """A world in memory, and the same in PostgreSQL."""

    def __init__(self, database: Database, model: World) -> None:
        database.wipe()
        database.stock({sku: shelf.level.available for sku, (shelf, _) in model.tables["inventory"].states.items()})
        self.model = model
        self.real = model._replace(tables=_read_all(database))
        self.steps = self.races = 0
        self._database = database
        self._real_steps = RealSteps(database)
        self._story: list[str] = []

    def follow(self, action: Action, after: World) -> None:
        """Take the step that the model has taken.

        Raises:
            DifferenceError: it comes to something else.
        """
        self.steps += 1
        self._tell(sentence(self.model, action, after))
        self.model = after
        try:
            self.real = take_really(self.real, action, self._real_steps)
        except Exception as error:
            raise self._difference([repr(error)]) from error
        self._hold([action.service])

    def race(self, race: Race, chance: random.Random) -> None:
        """Have two replicas take a step each at the same time: it must come to one after the other.

        Raises:
            DifferenceError: it comes to neither, or to a deadlock.
        """
        self.steps, self.races, service = self.steps + 2, self.races + 1, race.actions[0].service
        real = self.real._replace(parcels=(*self.real.parcels, *parcels_like(self.real.parcels, race.copies)))
        told = [sentence(self.model, action, self.model) for action in race.actions]
        self._tell(f"At the same time, at two replicas: {' / '.join(told)}")
        try:
            self.real = self._real_steps.both(real, race.actions, chance)
        except DeadlockError as deadlock:
            raise self._difference([str(deadlock)]) from deadlock
        model, found = self.model._replace(parcels=(*self.model.parcels, *race.copies)), list[str]()
        for after in in_any_order(model, race.actions):
            self.model = after
            differs = list(differences(self.model, self.real, [service], self._real_steps.generations))
            if not differs:
                return
            found += ["there is an order of their transactions that would come to it, but for this:", *differs]
        raise self._difference(found)

    def rest(self) -> None:
        """Hold all schemas, read anew, against the model."""
        self.real = self.real._replace(tables=_read_all(self._database))
        self._hold(SERVICES)

    def _hold(self, services: Iterable[str]) -> None:
        if found := list(differences(self.model, self.real, services, self._real_steps.generations)):
            raise self._difference(found)

    def _difference(self, found: list[str]) -> DifferenceError:
        return DifferenceError("\n".join([*self._story, *(f"  ✗  {each}" for each in found[:SHOWN_MAX_DIFFERENCES])]))

    def _tell(self, line: str) -> None:
        self._story.append(f"{len(self._story) + 1:3}. {line}")


def _read_all(database: Database) -> dict[str, Tables]:
    return {service: read(database, service) for service in SERVICES}


@dataclass(frozen=True, slots=True)
class Manner:
    """How schedules are drawn. As it stands they are those that `quartet simulate` plays."""

    setting: str = ""
    """The world, if not one that is drawn too."""
    races: float = 0.0
    """So many of the steps are two at once, by two replicas."""
    is_hard: bool = False
    """In each schedule the same goes wrong over and over, in each another thing."""

    def beginning(self, campaign: Campaign, number: int) -> World:
        """Give the world that a schedule begins in."""
        world = campaign.beginning(number)
        hard = HARDSHIPS[number % len(HARDSHIPS)]
        budgets = tuple((name, hard.get(name, 0)) for name, _ in world.budgets)
        return world._replace(budgets=budgets) if self.is_hard else world

    def odds(self, chance: random.Random) -> Odds:
        """Say how likely it is that something goes wrong."""
        return HARD_ODDS if self.is_hard else drawn_odds(chance)


def compare(database: Database, seed: int, number: int, manner: Manner = Manner()) -> Lockstep:
    """Play a schedule in the model and in reality.

    Raises:
        DifferenceError: they differ.
    """
    campaign = Campaign(seed, manner.setting)
    lockstep = Lockstep(database, manner.beginning(campaign, number))
    chance, processes = random.Random(campaign.chance(number)), ProcessSteps()
    odds = manner.odds(chance)
    while lockstep.steps < STEPS_MAX:
        if manner.races and chance.random() < manner.races and (race := drawn_race(lockstep.model, chance)):
            lockstep.race(race, chance)
        elif action := choose(lockstep.model, chance, odds):
            lockstep.follow(*step(lockstep.model, action, processes))
        else:
            break
    lockstep.rest()
    return lockstep
