"""`python -m tests.simulation`, which `quartet simulate` runs: what is typed."""

import asyncio
import sys
from collections.abc import Collection, Sequence
from typing import Annotated

import typer
from loguru import logger

from infra.failure import StackError
from infra.home import Home
from scripts.audit import SHOWN_MAX, sources_of
from shared.ports import WorldError
from tests.simulation.choices import BUDGETS, CRASH
from tests.simulation.histories import strange
from tests.simulation.overlap import shown as overlap
from tests.simulation.overlap.worlds import OVERLAPS
from tests.simulation.shown import BROKEN, USAGE, along, chosen, drawn, everywhere, many
from tests.simulation.spread import Campaign
from tests.simulation.store import SWITCHES
from tests.simulation.worlds import SETTINGS

SCHEDULES_MAX = 10_000_000
TIMES_MAX = 1_000
"""So often a misfortune may happen."""
CRASHES_MAX = 2
"""Where transactions overlap: two make a hundred thousand states."""
TOGETHER = (
    {"traces"},
    {"world", "path", "budget", "without"},
    {"schedules", "seed", "random_in", "without"},
    {"replay", "seed", "random_in", "without"},
)
"""Options that go together; `traces`, `world`, `schedules` and `replay` say what is done."""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def simulate(
    context: typer.Context,
    schedules: Annotated[int, typer.Option(help="How many to draw.", min=1, max=SCHEDULES_MAX)] = 1_000,
    seed: Annotated[int, typer.Option(help="What is left to chance is drawn from it.")] = 1,
    replay: Annotated[
        int | None, typer.Option(help="Play this one of the schedules alone, and tell it.", min=0, max=SCHEDULES_MAX)
    ] = None,
    world: Annotated[str, typer.Option(help=f"Go everywhere in a world: {', '.join([*SETTINGS, *OVERLAPS])}.")] = "",
    random_in: Annotated[str, typer.Option("--in", help="Draw schedules in one of these worlds.")] = "",
    path: Annotated[str, typer.Option(help="Tell one schedule of that world, such as 0.3.1.")] = "",
    budget: Annotated[list[str] | None, typer.Option(help="How often a misfortune may happen: crash=2.")] = None,
    traces: Annotated[
        bool, typer.Option("--traces", help="Hold what a running stack has logged against what is possible here.")
    ] = False,
    without: Annotated[list[str] | None, typer.Option(help="A safeguard that the model goes without.")] = None,
) -> None:
    """Play the real code through orders of things that nobody would think of; exit with 1 if a promise breaks."""
    logger.remove()
    _refuse_strangers(context)
    removed = tuple(without or ())
    for name, known in ((world, [*SETTINGS, *OVERLAPS]), (random_in, [*SETTINGS])):
        if name and name not in known:
            raise typer.BadParameter(f"there is no world {name}: there are {', '.join(known)}")
    if (path or budget) and not world:
        raise typer.BadParameter("a path and a budget are those of a world: name that too")
    _refuse_unknown(removed, OVERLAPS[world].safeguards if world in OVERLAPS else SWITCHES)
    if traces:
        raise typer.Exit(_traces())
    if world in OVERLAPS:
        crashes = _crashes_of(budget or [])
        told = overlap.along(OVERLAPS[world], path, removed, crashes) if path else None
        raise typer.Exit(overlap.everywhere(OVERLAPS[world], removed, crashes) if told is None else told)
    if world:
        beginning = SETTINGS[world].world(**_budgets_of(budget or []))
        raise typer.Exit(along(beginning, path, removed) if path else everywhere(beginning, world, removed))
    campaign = Campaign(seed, random_in, removed)
    raise typer.Exit(many(campaign, schedules) if replay is None else drawn(campaign, replay))


def _refuse_strangers(context: typer.Context) -> None:
    """Refuse options of which one would not be heeded beside another."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    typed = {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}
    if empty := sorted(name for name in typed if context.params[name] == ""):
        raise typer.BadParameter(f"nothing is typed for {', '.join(empty)}")
    if not any(typed <= friends for friends in TOGETHER):
        raise typer.BadParameter(f"these do not go together: {', '.join(sorted(typed))}")


def _refuse_unknown(removed: Sequence[str], switches: Collection[str]) -> None:
    """Refuse safeguards that have nothing to do here, or that the model does not have."""
    for name in (name for name in removed if name not in switches):
        known = ", ".join(sorted(switches)) or "none"
        if worlds := [each.name for each in OVERLAPS.values() if name in each.safeguards]:
            raise typer.BadParameter(f"{name} is needed in {', '.join(worlds)}; here there are {known}")
        raise typer.BadParameter(f"there is no {name} to go without here; there are {known}")


def _crashes_of(words: Sequence[str]) -> int:
    """Read how many processes may die where transactions overlap; nothing else goes wrong there."""
    crashes = _budgets_of(words, (CRASH,)).get(CRASH, 0)
    if crashes > CRASHES_MAX:
        raise typer.BadParameter(f"{CRASH}={crashes} are too many ways there: {CRASHES_MAX} at the most")
    return crashes


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


def _budgets_of(words: Sequence[str], known: Collection[str] = BUDGETS) -> dict[str, int]:
    """Read how often misfortunes may happen, such as `crash=2`."""
    budgets = {}
    for word in words:
        name, _, times = word.partition("=")
        if name not in known or name in budgets or chosen(times, range(TIMES_MAX + 1)) is None:
            raise typer.BadParameter(f"{word} is no misfortune, once, with a number: there are {', '.join(known)}")
        budgets[name] = int(times)
    return budgets


if __name__ == "__main__":
    app(prog_name="quartet simulate")
