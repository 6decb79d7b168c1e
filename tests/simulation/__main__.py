"""`python -m tests.simulation`, which `quartet simulate` runs: what is typed, and what is printed."""

import asyncio
import sys
from collections.abc import Sequence
from functools import partial
from time import perf_counter
from typing import Annotated

import typer
from loguru import logger

from infra.audit.findings import Break
from infra.failure import StackError
from infra.home import Home
from scripts.audit import SHOWN_MAX, sources_of
from shared.ports import WorldError
from tests.simulation.campaign import play
from tests.simulation.choices import BUDGETS, choices
from tests.simulation.explore import explore
from tests.simulation.histories import strange
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.shorter import Tale, shortened
from tests.simulation.spread import CORES, Campaign, Tally, run
from tests.simulation.steps import take
from tests.simulation.store import SWITCHES
from tests.simulation.story import Step, tell
from tests.simulation.windows import WINDOWS
from tests.simulation.world import Action, World
from tests.simulation.worlds import SETTINGS

TOLD_EACH_SCHEDULES = 10_000
BROKEN, USAGE = 1, 2
SCHEDULES_MAX = 10_000_000

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def simulate(
    schedules: Annotated[int, typer.Option(help="How many to draw.", min=1, max=SCHEDULES_MAX)] = 1_000,
    seed: Annotated[int, typer.Option(help="What is left to chance is drawn from it.")] = 1,
    replay: Annotated[int | None, typer.Option(help="Play this one of the schedules alone, and tell it.")] = None,
    world: Annotated[str, typer.Option(help=f"Go everywhere in a world: {', '.join(SETTINGS)}.")] = "",
    random_in: Annotated[str, typer.Option("--in", help="Draw schedules in one of these worlds.")] = "",
    path: Annotated[str, typer.Option(help="Tell one schedule of that world, such as 0.3.1.")] = "",
    budget: Annotated[list[str] | None, typer.Option(help="How often a misfortune may happen: crash=2.")] = None,
    traces: Annotated[bool, typer.Option("--traces", help="Hold what the running stack did against it.")] = False,
    without: Annotated[list[str] | None, typer.Option(help="A safeguard that the model goes without.")] = None,
) -> None:
    """Play the real code through orders of things that nobody would think of; exit with 1 if a promise breaks."""
    logger.remove()
    removed = tuple(without or ())
    if traces:
        raise typer.Exit(_traces())
    for name in filter(None, (world, random_in)):
        if name not in SETTINGS:
            raise typer.BadParameter(f"there is no world {name}: there are {', '.join(SETTINGS)}")
    if path and not world:
        raise typer.BadParameter("a path is one of a world: name that too")
    if unknown := [name for name in removed if name not in SWITCHES]:
        known = ", ".join(sorted(SWITCHES))
        raise typer.BadParameter(
            f"the model knows no {unknown[0]}; `make ablation` takes it out of the code. It knows {known}"
        )
    if world:
        beginning = SETTINGS[world].world(**_budgets_of(budget or []))
        raise typer.Exit(_tell_path(beginning, path, removed) if path else _everywhere(beginning, world, removed))
    campaign = Campaign(seed, random_in, removed)
    raise typer.Exit(_campaign(campaign, schedules) if replay is None else _tell_drawn(campaign, replay))


def _traces() -> int:
    """Hold the histories of a stack that is up against those that the model can make."""
    try:
        seen, found = asyncio.run(strange(sources_of(Home.locate())))
    except (WorldError, StackError, OSError, KeyError) as error:
        sys.stderr.write(f"simulate: the logs cannot be read ({type(error).__name__}): `make up` first\n")
        return USAGE
    print(f"{seen:,} orders are at rest; {len(found) or 'none'} of them have a history that the model cannot make")
    for order_id, history in found[:SHOWN_MAX]:
        print(f"  ✗  {order_id}")
        for service, types in history.items():
            print(f"     {service:<13} {', '.join(types)}")
    return BROKEN if found else 0


def _budgets_of(words: Sequence[str]) -> dict[str, int]:
    """Read how often misfortunes may happen, such as `crash=2`."""
    budgets = {}
    for word in words:
        name, _, times = word.partition("=")
        if name not in BUDGETS or not times.isdigit():
            raise typer.BadParameter(f"{word} is no misfortune with a number: there are {', '.join(BUDGETS)}")
        budgets[name] = int(times)
    return budgets


def _everywhere(world: World, name: str, removed: Sequence[str]) -> int:
    print(f"{name}: {SETTINGS[name].about}; {_budgets(world)}")
    explored = explore(world, removed)
    print(explored)
    if explored.counterexample is None:
        return 0
    path = _path(world, explored.counterexample.actions, removed)
    options = "".join(f" --budget '{each}={times}'" for each, times in world.budgets)
    print(f"\nA promise breaks: quartet simulate --world {name}{options} --path {path}")
    _tell(replayed(world, explored.counterexample.actions, removed), explored.counterexample.breaks)
    return BROKEN


def _without(removed: Sequence[str]) -> str:
    return "".join(f" --without '{name}'" for name in removed)


def _budgets(world: World) -> str:
    return ", ".join(f"{name} up to {times}" for name, times in world.budgets if times) or "nothing goes wrong"


def _campaign(campaign: Campaign, schedules: int) -> int:
    began_s = perf_counter()
    total = run(campaign, schedules, partial(_so_far, schedules))
    took_s, played = perf_counter() - began_s, total.schedules.total()
    each, rate = total.steps.total() / played, played / took_s
    print(f"{played:,} schedules from seed {campaign.seed}, {each:.0f} steps each, in {took_s:.1f} s", end=" ")
    print(f"({rate:,.0f} a second on {CORES} cores)")
    for orders, many in sorted(total.schedules.items()):
        each, rate = total.steps[orders] / many, many / total.took_ns[orders] * 1e9
        print(
            f"  {many:>9,} of {orders} order{'s' * (orders > 1)}, {each:.0f} steps each, {rate:,.0f} a second of a core"
        )
    if total.broken:
        return _tell_drawn(campaign, min(total.broken))
    missed = [window for window in WINDOWS if not total.met[window]] if not campaign.world else []
    for window in WINDOWS:
        print(f"  {total.met[window]:>9,} × {window}")
    if missed:
        print(f"not exercised: {'; '.join(missed)}: more schedules are needed")
    return BROKEN if missed else 0


def _so_far(schedules: int, total: Tally) -> None:
    """Let who waits for a long campaign see that it goes on."""
    if (played := total.schedules.total()) % TOLD_EACH_SCHEDULES == 0 and played < schedules:
        print(f"  {played:>9,} of {schedules:,} played", flush=True)


def _tell_drawn(campaign: Campaign, number: int) -> int:
    world, processes = campaign.beginning(number), ProcessSteps(campaign.removed)
    schedule = play(world, campaign.chance(number), processes)
    options = f"{f' --in {campaign.world}' if campaign.world else ''}{_without(campaign.removed)}"
    print(f"\nquartet simulate --seed {campaign.seed} --replay {number}{options}; {_budgets(world)}")
    if schedule.breaks:
        steps = len(schedule.actions)
        world, schedule = shortened(Tale(world, schedule), processes)
        print(f"{steps} steps, told in {len(schedule.actions)}:")
    _tell(replayed(world, schedule.actions, campaign.removed), schedule.breaks)
    return BROKEN if schedule.breaks else 0


def _tell_path(world: World, path: str, removed: Sequence[str]) -> int:
    actions, here, processes = list[Action](), world, ProcessSteps(removed)
    for place in path.split("."):
        possible = choices(here)
        if not place.isdigit() or int(place) >= len(possible):
            sys.stderr.write(f"simulate: {place} leads nowhere after {len(actions)} steps\n")
            return USAGE
        actions.append(possible[int(place)])
        here = take(here, actions[-1], processes) or here
    _tell(replayed(world, actions, removed), ())
    return 0


def _path(world: World, actions: Sequence[Action], removed: Sequence[str]) -> str:
    places = [str(choices(before).index(action)) for before, action, _ in replayed(world, actions, removed)]
    return ".".join(places)


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


if __name__ == "__main__":
    app(prog_name="quartet simulate")
