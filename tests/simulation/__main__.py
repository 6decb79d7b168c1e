"""`python -m tests.simulation`, which `quartet simulate` runs: what is typed, and what is printed."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
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
from tests.simulation.explore import Explored, explore
from tests.simulation.histories import strange
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.steps import take
from tests.simulation.store import SWITCHES
from tests.simulation.story import Step, tell
from tests.simulation.windows import WINDOWS, Watch
from tests.simulation.world import Action, World
from tests.simulation.worlds import SETTINGS, beginning_of

CHUNK_MAX_SCHEDULES = 250
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
    if replay is not None:
        raise typer.Exit(_tell_drawn(seed, replay, random_in, removed))
    raise typer.Exit(_campaign(schedules, seed, random_in, removed))


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
    print(_sum_up(explored))
    if explored.counterexample is None:
        return 0
    path = _path(world, explored.counterexample.actions, removed)
    options = "".join(f" --budget '{each}={times}'" for each, times in world.budgets)
    print(f"\nA promise breaks: quartet simulate --world {name}{options} --path {path}")
    _tell(_played(world, explored.counterexample.actions, removed), explored.counterexample.breaks)
    return BROKEN


def _sum_up(explored: Explored) -> str:
    e, rate = explored, explored.transitions / explored.took_s
    return (
        f"{e.states:,} states, {e.transitions:,} transitions, {e.depth} deep, {len(e.ends):,} ends, in {e.took_s:.1f} s"
        f" ({rate:,.0f} transitions a second)"
    )


def _budgets(world: World) -> str:
    return ", ".join(f"{name} up to {times}" for name, times in world.budgets if times) or "nothing goes wrong"


@dataclass(slots=True)
class Tally:
    """What a part of a campaign came to."""

    schedules: int = 0
    steps: int = 0
    met: Counter[str] = field(default_factory=Counter)
    broken: list[int] = field(default_factory=list)
    """The numbers of the schedules that broke a promise."""


def _campaign(schedules: int, seed: int, name: str, removed: Sequence[str]) -> int:
    began_s, total = perf_counter(), Tally()
    starts = range(0, schedules, CHUNK_MAX_SCHEDULES)
    with ProcessPoolExecutor(cores := os.cpu_count() or 1) as pool:
        for part in pool.map(partial(play_some, seed, name, tuple(removed), schedules), starts):
            total.schedules += part.schedules
            total.steps += part.steps
            total.met += part.met
            total.broken += part.broken
            if total.broken:
                pool.shutdown(cancel_futures=True)
                break
    took_s = perf_counter() - began_s
    told, rate = f"{total.schedules:,} schedules from seed {seed}", total.schedules / took_s
    each = total.steps / total.schedules
    print(f"{told}, {each:.0f} steps each, in {took_s:.1f} s ({rate:,.0f} a second on {cores} cores)")
    if total.broken:
        return _tell_drawn(seed, min(total.broken), name, removed)
    missed = [window for window in WINDOWS if not total.met[window]] if not name else []
    for window in WINDOWS:
        print(f"  {total.met[window]:>9,} × {window}")
    if missed:
        print(f"not exercised: {'; '.join(missed)}: more schedules are needed")
    return BROKEN if missed else 0


def play_some(seed: int, name: str, removed: Sequence[str], end: int, start: int) -> Tally:
    """Play some schedules of a campaign, in a process of their own."""
    logger.remove()
    processes, watch, tally = ProcessSteps(removed), Watch(), Tally()
    for number in range(start, min(start + CHUNK_MAX_SCHEDULES, end)):
        schedule = play(beginning_of(seed, number, name), f"{seed} {number}", processes, watch)
        tally.schedules += 1
        tally.steps += len(schedule.actions)
        if schedule.breaks:
            tally.broken.append(number)
            break
    tally.met = watch.met
    return tally


def _tell_drawn(seed: int, number: int, name: str, removed: Sequence[str]) -> int:
    world = beginning_of(seed, number, name)
    schedule = play(world, f"{seed} {number}", ProcessSteps(removed), Watch())
    print(f"\nquartet simulate --seed {seed} --replay {number}{f' --in {name}' if name else ''}; {_budgets(world)}")
    _tell(_played(world, schedule.actions, removed), schedule.breaks)
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
    _tell(_played(world, actions, removed), ())
    return 0


def _path(world: World, actions: Sequence[Action], removed: Sequence[str]) -> str:
    places = [str(choices(before).index(action)) for before, action, _ in _played(world, actions, removed)]
    return ".".join(places)


def _played(world: World, actions: Sequence[Action], removed: Sequence[str]) -> list[Step]:
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
