"""`python -m tests.reality`: schedules of the simulator on a PostgreSQL of its own; exit code 1 where one differs."""

import asyncio
import sys
from functools import partial
from time import perf_counter
from typing import Annotated

import typer
from loguru import logger

from infra.failure import StackError
from tests.reality.database import Database, databases
from tests.reality.lockstep import DifferenceError, Manner, compare
from tests.reality.server import server
from tests.simulation.worlds import SETTINGS

DIFFERS, USAGE = 1, 2
TOLD_EVERY_SCHEDULES = 100

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def reality(
    schedules: Annotated[int, typer.Option(help="How many to play.", min=1)] = 100,
    seed: Annotated[int, typer.Option(help="That of `quartet simulate`.")] = 1,
    replay: Annotated[int | None, typer.Option(help="Play this one alone.")] = None,
    setting: Annotated[str, typer.Option("--in", help=f"Play in one of {', '.join(SETTINGS)}.")] = "",
    races: Annotated[float, typer.Option(help="What share of the steps two replicas take two at once.", max=1)] = 0.0,
    hard: Annotated[bool, typer.Option("--hard", help="In each schedule the same goes wrong over and over.")] = False,
) -> None:
    """Play schedules in memory and on PostgreSQL, step by step, and hold the two against each other."""
    logger.remove()
    if setting and setting not in SETTINGS:
        raise typer.BadParameter(f"there is no world {setting}: there are {', '.join(SETTINGS)}")
    manner = Manner(setting, races, is_hard=hard)
    numbers = range(schedules) if replay is None else range(replay, replay + 1)
    options = {f" --in {setting}": setting, f" --races {races}": races, " --hard": hard}
    again = f"python -m tests.reality --seed {seed}{''.join(each for each in options if options[each])} --replay"
    try:
        code = asyncio.run(_on_a_server(partial(_compare, seed, numbers, manner, again)))
    except StackError as error:
        sys.stderr.write("\n".join([f"reality: {error}", *error.lines]) + "\n")
        code = USAGE
    raise typer.Exit(code)


async def _on_a_server(compare_on: "partial[int]") -> int:
    async with server() as url_of:
        with databases(url_of) as database:
            return await asyncio.to_thread(compare_on, database)


def _compare(seed: int, numbers: range, manner: Manner, again: str, database: Database) -> int:
    began_s, steps, raced = perf_counter(), 0, 0
    for played, number in enumerate(numbers, start=1):
        try:
            lockstep = compare(database, seed, number, manner)
        except DifferenceError as difference:
            print(f"{again} {number}\n{difference}")
            return DIFFERS
        steps, raced = steps + lockstep.steps, raced + lockstep.races
        if played % TOLD_EVERY_SCHEDULES == 0 or played == len(numbers):
            came_to = f"{played:,} schedules, {steps:,} steps, {raced:,} races, in {perf_counter() - began_s:.0f} s"
            print(f"{came_to}: no difference", flush=True)
    return 0


if __name__ == "__main__":
    app(prog_name="python -m tests.reality")
