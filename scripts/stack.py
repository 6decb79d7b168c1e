"""Commands that run Quartet on this machine, in Docker or without: up, down, reset, status, logs, migrate."""

import json
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict
from typing import Annotated

import typer

from infra.docker.engine import why_not
from infra.docker.runner import DockerRunner
from infra.failure import StackError
from infra.home import WALKABLE, Home, make_directory
from infra.lock import alone
from infra.native.runner import NativeRunner
from infra.run import Mode, Run
from infra.runner import Runner
from scripts.log_line import readable
from scripts.sentences import NOT_UP, sentences
from scripts.stack_choice import choose
from scripts.stack_screen import TOLD_DOWN, TOLD_UP, Screen, status_table, where_to_look

NOT_READY = 1

RUNNERS: dict[Mode, type[DockerRunner] | type[NativeRunner]] = {Mode.DOCKER: DockerRunner, Mode.NATIVE: NativeRunner}


def up(
    mode: Annotated[str, typer.Option(help="auto, docker or native; auto is Docker where an engine answers.")] = "auto",
    scale: Annotated[str, typer.Option(help="How often each service runs: 1 to 4.")] = "",
    observe: Annotated[bool, typer.Option("--observe", help="With Prometheus, Grafana and Jaeger; in Docker.")] = False,
) -> None:
    """Start everything, wait until it is ready, and say where to look."""
    home = Home.locate()
    with sentences():
        make_directory(home.path, WALKABLE)
        with Screen("Quartet comes up", TOLD_UP) as screen, _alone(home, screen):
            before = _running(home)
            choice = choose(mode, scale, before, why_not, observe)
            screen.tell(choice.why)
            runner = RUNNERS[choice.run.mode](home)
            choice.run.write(home.running)
            try:
                started = runner.up(choice.run.scale, screen)
            except BaseException:
                if before is None:
                    home.running.unlink(missing_ok=True)
                raise
        if not started and (missing := runner.standing().missing):
            raise StackError(f"Quartet is up, but not ready: {', '.join(missing)} (`make status`, `make logs`)")
        where_to_look(home, started, choice.run.observe)


def down() -> None:
    """Stop everything and wait until it is gone; the data stays."""
    home = Home.locate()
    with sentences():
        with Screen("Quartet goes down", TOLD_DOWN) as screen, _alone(home, screen):
            ran = [runner.down(screen) for runner in _runners(home)]
            home.running.unlink(missing_ok=True)
        typer.echo("Quartet is down; its data stays until `make reset`." if any(ran) else "Quartet is not running.")


def reset() -> None:
    """Stop everything, and delete all data, logs and passwords."""
    home = Home.locate()
    with sentences():
        with Screen("Quartet goes down", TOLD_DOWN) as screen, _alone(home, screen):
            for runner_class in RUNNERS.values():
                runner_class(home).reset(screen)
            for file in (home.running, home.secrets):
                file.unlink(missing_ok=True)
        typer.echo(f"Nothing of Quartet is left in {home.path}.")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show every program; exit with 0 only if all are ready, 1 otherwise."""
    with sentences():
        told = _runner(Home.locate()).standing(memory=not as_json)
        if as_json:
            typer.echo(json.dumps(asdict(told) | {"ready": told.ready}, indent=2))
        else:
            status_table(told)
    raise typer.Exit(0 if told.ready else NOT_READY)


def logs(
    name: Annotated[str, typer.Argument(help="One program; all of them by time if left out.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option(min=0, help="How many of the last lines.")] = 100,
    as_written: Annotated[bool, typer.Option("--json", help="As the programs wrote them.")] = False,
) -> None:
    """Show what the programs wrote."""
    with sentences(), suppress(KeyboardInterrupt):  # the way to leave it
        for line in _runner(Home.locate()).logs(name, lines, follow):
            typer.echo(line if as_written else readable(line))


def migrate() -> None:
    """Bring the schema of every service up to date; needs the stack to be up."""
    home = Home.locate()
    with sentences():
        runner = _runner(home)
        if not runner.runs():
            raise StackError(NOT_UP)
        runner.migrate()
        typer.echo("Every schema is up to date.")


def _runner(home: Home) -> Runner:
    """Give the way that the stack was brought up."""
    run = Run.read(home.running)
    return RUNNERS[run.mode if run else Mode.NATIVE](home)


def _runners(home: Home) -> tuple[Runner, ...]:
    """Give the way that the stack was brought up, or both where nobody remembers."""
    run = Run.read(home.running)
    return tuple(RUNNERS[mode](home) for mode in ([run.mode] if run else RUNNERS))


def _running(home: Home) -> Run | None:
    """Give the run that is up; a machine that was switched off leaves a note of one that is not."""
    run = Run.read(home.running)
    return run if run and RUNNERS[run.mode](home).runs() else None


def _alone(home: Home, screen: Screen) -> AbstractContextManager[None]:
    if not home.path.exists():
        return nullcontext()
    return alone(home.lock, lambda: screen.say("another quartet command is at work; waiting for it"))
