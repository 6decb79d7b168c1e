"""`quartet chaos list | run`: what is typed, checked and carried out."""

import asyncio
import logging
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from infra.failure import StackError
from infra.home import PRIVATE, WALKABLE, Home, make_directory
from infra.lock import alone
from infra.run import Run
from scripts.chaos import screen
from scripts.chaos.experiment import Experiment
from scripts.chaos.experiments import ALL
from scripts.chaos.report import Report
from scripts.chaos.schedule import rounds
from scripts.chaos.session import Session
from scripts.sentences import NOT_UP, sentences
from scripts.stack import RUNNERS
from scripts.stack_screen import out

DISPROVED = 1
RATE, RATE_MAX = 20.0, 200.0
SOAK_MAX_S = 24 * 3600.0
DURATION = re.compile(r"(?P<number>\d+)(?P<unit>[smh])")
UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Break the running stack, undo it, and audit what is left."
)


@app.command("list")
def list_() -> None:
    """Show every experiment, and what is believed of it."""
    screen.catalogue(ALL)


@app.command()
def run(
    names: Annotated[list[str] | None, typer.Argument(help="Experiments, in this order.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="All but the longest, in an order drawn from the seed.")] = False,
    seed: Annotated[int, typer.Option(help="What is left to chance is drawn from it.")] = 1,
    soak: Annotated[str, typer.Option(help="Go on drawing experiments for so long, such as 20m.")] = "",
    rate: Annotated[float, typer.Option(help="Orders a second.", min=1.0, max=RATE_MAX)] = RATE,
) -> None:
    """Run experiments on the stack that is up; exit with 1 if any fails, with 2 if the stack is not up."""
    logging.disable()  # the libraries tell of what is broken here on purpose
    home = Home.locate()
    with sentences():
        chosen, soak_s = _chosen(names or [], all_), _seconds(soak)
        directory = _directory(home)
        with alone(directory / "lock", lambda: out.print("another chaos is at work; waiting for it")):
            session = Session(home, _running(home), seed, rate)
            report = Report(datetime.now(UTC), seed, str(session.stack), session.results, session.vitals)
            try:
                asyncio.run(session.play(_drawn(chosen, seed, soak_s) if all_ or soak_s else chosen))
            finally:
                if session.results:
                    screen.summary(session.results)
                    out.print(f"report: {report.write(directory)}", soft_wrap=True)
    raise typer.Exit(0 if report.held else DISPROVED)


def _chosen(names: Sequence[str], all_: bool) -> list[Experiment]:
    """Give what was asked for.

    Raises:
        StackError: there is no such experiment, or none was named.
    """
    known = {experiment.name: experiment for experiment in ALL}
    if unknown := [name for name in names if name not in known]:
        raise StackError(f"there is no experiment {unknown[0]}: `quartet chaos list` shows them all")
    if bool(names) == all_:
        raise StackError("name experiments, or all of them with --all: `quartet chaos list` shows them")
    return [known[name] for name in names] or [experiment for experiment in ALL if not experiment.by_name_alone]


def _seconds(text: str) -> float:
    """Read a duration such as `20m`; "" is none.

    Raises:
        StackError: it is no duration, or longer than SOAK_MAX_S.
    """
    found = DURATION.fullmatch(text)
    if text and not found:
        raise StackError(f"--soak takes a duration such as 90s, 20m or 2h, not {text}")
    seconds = int(found["number"]) * UNITS_S[found["unit"]] if found else 0.0
    if seconds > SOAK_MAX_S:
        raise StackError(f"--soak takes at most {SOAK_MAX_S / UNITS_S['h']:g}h")
    return seconds


def _drawn(chosen: Sequence[Experiment], seed: int, soak_s: float) -> Iterator[Experiment]:
    """Draw each once; to soak, one after the other in ever new orders, until the time is over."""
    known = {experiment.name: experiment for experiment in chosen}
    ends_s = monotonic() + soak_s
    for number, name in enumerate(rounds(list(known), seed)):
        if monotonic() > ends_s if soak_s else number >= len(known):
            return
        yield known[name]


def _directory(home: Home) -> Path:
    make_directory(home.path, WALKABLE)
    make_directory(directory := home.path / "chaos", PRIVATE)
    return directory


def _running(home: Home) -> Run:
    """Give the run that is up.

    Raises:
        StackError: none is.
    """
    run = Run.read(home.running)
    if run is None or not RUNNERS[run.mode](home).runs():
        raise StackError(NOT_UP)
    return run
