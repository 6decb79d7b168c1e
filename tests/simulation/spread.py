"""A campaign, spread over all cores: each process plays some schedules at a time, and every schedule has its number."""

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache, partial
from time import process_time_ns

from loguru import logger

from tests.simulation.campaign import play
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.windows import Watch
from tests.simulation.world import World
from tests.simulation.worlds import SETTINGS, drawn

CHUNK_MAX_SCHEDULES = 250
CORES = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Campaign:
    """Schedules to be played: in worlds that are drawn too, or all in the one that is named."""

    seed: int
    world: str = ""
    removed: tuple[str, ...] = ()

    def beginning(self, number: int) -> World:
        """Give the world that a schedule begins in."""
        if self.world:
            return SETTINGS[self.world].world()
        return drawn(random.Random(f"{self.seed} {number} world")).world()

    def chance(self, number: int) -> str:
        """Give what the course of a schedule is drawn from."""
        return f"{self.seed} {number}"


@dataclass(slots=True)
class Tally:
    """What a campaign, or a part of it, came to; by the number of orders in a world where it is counted."""

    schedules: Counter[int] = field(default_factory=Counter)
    steps: Counter[int] = field(default_factory=Counter)
    took_ns: Counter[int] = field(default_factory=Counter)
    """Time of a core, in nanoseconds."""
    met: Counter[str] = field(default_factory=Counter)
    broken: list[int] = field(default_factory=list)
    """The numbers of the schedules that broke a promise."""

    def add(self, other: "Tally") -> None:
        """Take what another part came to along."""
        self.schedules += other.schedules
        self.steps += other.steps
        self.took_ns += other.took_ns
        self.met += other.met
        self.broken += other.broken


def run(campaign: Campaign, schedules: int, tell: Callable[[Tally], None] = lambda _: None) -> Tally:
    """Play schedules on all cores until one breaks a promise; after each part, in order, `tell` all that was played."""
    total, starts = Tally(), range(0, schedules, CHUNK_MAX_SCHEDULES)
    with ProcessPoolExecutor(CORES) as pool:
        for part in pool.map(partial(play_some, campaign, schedules), starts):
            total.add(part)
            tell(total)
            if total.broken:
                pool.shutdown(cancel_futures=True)
                break
    return total


def play_some(campaign: Campaign, end: int, start: int) -> Tally:
    """Play some schedules of a campaign, in a process of their own."""
    logger.remove()
    watch, tally = Watch(), Tally()
    for number in range(start, min(start + CHUNK_MAX_SCHEDULES, end)):
        began_ns, world = process_time_ns(), campaign.beginning(number)
        schedule = play(world, campaign.chance(number), _processes(campaign.removed), watch)
        orders = len({command.order_id for command in world.commands})
        tally.schedules[orders] += 1
        tally.steps[orders] += len(schedule.actions)
        tally.took_ns[orders] += process_time_ns() - began_ns
        if schedule.breaks:
            tally.broken.append(number)
            break
    tally.met = watch.met
    return tally


@lru_cache(1)
def _processes(removed: Sequence[str]) -> ProcessSteps:
    """Keep what is known of processes' steps from one part to the next: most steps come up again."""
    return ProcessSteps(removed)
