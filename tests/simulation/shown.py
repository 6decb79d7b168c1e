"""What a search, a campaign or one schedule comes to, as it is printed; each says with which code to exit."""

import sys
from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import TypeVar

from infra.audit.findings import Break
from tests.simulation.campaign import play
from tests.simulation.choices import choices
from tests.simulation.explore import explore
from tests.simulation.facts import broken_at_once, broken_at_rest
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.shorter import Tale, shortened
from tests.simulation.spread import CORES, Campaign, Tally, run
from tests.simulation.steps import take
from tests.simulation.story import Step, tell
from tests.simulation.windows import WINDOWS
from tests.simulation.world import Action, World
from tests.simulation.worlds import SETTINGS

C = TypeVar("C")

TOLD_EACH_SCHEDULES = 10_000
DIGITS_MAX = 6
"""Of a number that is typed; Python refuses to read thousands."""
HELD, BROKEN, USAGE = 0, 1, 2


def everywhere(world: World, name: str, removed: Sequence[str]) -> int:
    """Go everywhere in a world, and tell the shortest schedule that breaks a promise."""
    print(f"{name}: {SETTINGS[name].about}; {_budgets(world)}")
    explored = explore(world, removed)
    print(explored)
    found = explored.counterexample
    if found is None:
        print("No promise breaks.")
        return HELD
    steps = replayed(world, found.actions, removed)
    options = "".join(f" --budget '{each}={times}'" for each, times in world.budgets)
    path = f" --path {_path(steps)}" if found.is_told_by_its_path else ""
    print(f"\nA promise breaks: quartet simulate --world {name}{options}{path}{without(removed)}")
    _tell(steps, found.breaks)
    return BROKEN


def drawn(campaign: Campaign, number: int) -> int:
    """Play one schedule of a campaign alone."""
    world, processes = campaign.beginning(number), ProcessSteps(campaign.removed)
    schedule = play(world, campaign.chance(number), processes)
    options = f"{f' --in {campaign.world}' if campaign.world else ''}{without(campaign.removed)}"
    print(f"\nquartet simulate --seed {campaign.seed} --replay {number}{options}; {_budgets(world)}")
    if schedule.breaks:
        steps = len(schedule.actions)
        world, schedule = shortened(Tale(world, schedule), processes)
        print(f"{steps} steps, told in {len(schedule.actions)}:")
    _tell(replayed(world, schedule.actions, campaign.removed), schedule.breaks)
    return BROKEN if schedule.breaks else HELD


def many(campaign: Campaign, schedules: int) -> int:
    """Play the schedules of a campaign, tell the first that breaks a promise, and say which rare moments were met."""
    began_s = perf_counter()
    total = run(campaign, schedules, partial(_so_far, schedules))
    _tell_speed(total, campaign.seed, perf_counter() - began_s)
    if total.broken:
        if drawn(campaign, min(total.broken)) == HELD:
            print("It broke a promise in the campaign and breaks none alone: something is shared that must not be.")
        return BROKEN
    missed = [window for window in WINDOWS if not total.met[window]] if not campaign.world else []
    for window in WINDOWS:
        print(f"  {total.met[window]:>9,} × {window}")
    if missed:
        print(f"not exercised: {'; '.join(missed)}: more schedules are needed")
    return BROKEN if missed else HELD


def along(world: World, path: str, removed: Sequence[str]) -> int:
    """Tell the schedule that takes these of the choices, and what it breaks."""
    steps, processes, breaks = list[Step](), ProcessSteps(removed), list[Break]()
    for place in path.split("."):
        if (action := chosen(place, choices(world))) is None:
            sys.stderr.write(f"simulate: {place!r} leads nowhere after {len(steps)} steps\n")
            return USAGE
        after = take(world, action, processes) or world
        steps.append((world, action, after))
        breaks += broken_at_once(world, after)
        world = after
    breaks += broken_at_rest(world) if not choices(world) else []
    _tell(steps, breaks)
    return BROKEN if breaks else HELD


def chosen(place: str, possible: Sequence[C]) -> C | None:
    """Give what stands at a place that was typed; None: nothing does."""
    is_number = place.isascii() and place.isdigit() and len(place) <= DIGITS_MAX
    number = int(place) if is_number else len(possible)
    return possible[number] if number < len(possible) else None


def _tell_speed(total: Tally, seed: int, took_s: float) -> None:
    played = total.schedules.total()
    each, rate = total.steps.total() / played, played / took_s
    print(f"{played:,} schedules from seed {seed}, {each:.0f} steps each, in {took_s:.1f} s", end=" ")
    print(f"({rate:,.0f} a second on {CORES} cores)")
    for orders, schedules in sorted(total.schedules.items()):
        each, rate = total.steps[orders] / schedules, schedules / total.took_ns[orders] * 1e9
        print(
            f"  {schedules:>9,} of {orders} order{'s' * (orders > 1)}, {each:.0f} steps each,"
            f" {rate:,.0f} a second of a core"
        )


def _so_far(schedules: int, total: Tally) -> None:
    """Let who waits for a long campaign see that it goes on."""
    if (played := total.schedules.total()) % TOLD_EACH_SCHEDULES == 0 and played < schedules:
        print(f"  {played:>9,} of {schedules:,} played", flush=True)


def without(removed: Sequence[str]) -> str:
    """Write which safeguards are off, as it is typed."""
    return "".join(f" --without '{name}'" for name in removed)


def _budgets(world: World) -> str:
    return ", ".join(f"{name} up to {times}" for name, times in world.budgets if times) or "nothing goes wrong"


def _path(steps: Sequence[Step]) -> str:
    return ".".join(str(choices(before).index(action)) for before, action, _ in steps)


def replayed(world: World, actions: Sequence[Action], removed: Sequence[str]) -> list[Step]:
    """Take steps that can be taken, and give the world before and after each."""
    steps, processes = list[Step](), ProcessSteps(removed)
    for action in actions:
        after = take(world, action, processes)
        assert after is not None
        steps.append((world, action, after))
        world = after
    return steps


def _tell(steps: Sequence[Step], breaks: Sequence[Break]) -> None:
    for line in tell(steps, breaks):
        print(line)
