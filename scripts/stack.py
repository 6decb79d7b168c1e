"""Commands that run Quartet on this machine: up, down, reset, status, logs, migrate."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from itertools import chain
from typing import Annotated

import typer

from infra.native import lifecycle
from infra.native.credentials import Credentials
from infra.native.install import MISSING, find
from infra.native.lock import present
from infra.native.program import StackError
from infra.native.reading import follow, merged
from infra.native.stack import Stack
from infra.native.standing import standing
from infra.native.state import Home
from infra.native.supervisor import Supervisor
from scripts.log_line import readable
from scripts.stack_screen import TOLD_DOWN, TOLD_UP, Screen, complain, status_table, where_to_look

NOT_UP = "Quartet is not up: `make up` starts it"
FAILED = 2
NOT_READY = 1
INTERRUPTED = 130


def up() -> None:
    """Start everything, wait until it is ready, and say where to look."""
    home = Home.locate()
    with _sentences():
        with Screen("Quartet comes up", TOLD_UP) as screen:
            started = lifecycle.up(home, screen)
        if not started:
            missing = standing(home).missing
            if missing:
                raise StackError(f"Quartet is up, but not ready: {', '.join(missing)} (`make status`, `make logs`)")
        where_to_look(home, started)


def down() -> None:
    """Stop everything and wait until it is gone; the data stays."""
    home = Home.locate()
    with _sentences():
        with Screen("Quartet goes down", TOLD_DOWN) as screen:
            ran = lifecycle.down(home, screen)
        typer.echo("Quartet is down; its data stays until `make reset`." if ran else "Quartet is not running.")


def reset() -> None:
    """Stop everything, and delete all data, logs and passwords."""
    home = Home.locate()
    with _sentences():
        with Screen("Quartet goes down", TOLD_DOWN) as screen:
            lifecycle.reset(home, screen)
        typer.echo(f"Nothing of Quartet is left in {home.path}.")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show every program; exit with 0 only if all are ready, 1 otherwise."""
    with _sentences():
        told = standing(Home.locate())
        if as_json:
            typer.echo(json.dumps(asdict(told) | {"ready": told.ready}, indent=2))
        else:
            status_table(told)
    raise typer.Exit(0 if told.ready else NOT_READY)


def logs(
    name: Annotated[str, typer.Argument(help="One program; all of them by time if left out.")] = "",
    follow_: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    lines: Annotated[int, typer.Option(min=0, help="How many of the last lines.")] = 100,
    as_written: Annotated[bool, typer.Option("--json", help="As the programs wrote them.")] = False,
) -> None:
    """Show what the programs wrote."""
    home = Home.locate()
    with _sentences():
        files = sorted(home.logs.glob("*.log")) if home.logs.exists() else []
        chosen = [file for file in files if name in {"", file.stem}]
        if not chosen:
            known = ", ".join(file.stem for file in files) or "none yet"
            raise StackError(f"there is no log of {name or 'any program'}; known: {known}")
        with suppress(KeyboardInterrupt):  # the way to leave it
            for line in chain(merged(chosen, lines), follow(chosen) if follow_ else ()):
                typer.echo(line if as_written else readable(line))


def migrate() -> None:
    """Bring the schema of every service up to date; needs the stack to be up."""
    home = Home.locate()
    with _sentences():
        installed = find()
        if installed is None:
            raise StackError(MISSING)
        if present(home.pid_file) is None:
            raise StackError(NOT_UP)
        migrations = Stack(home, Credentials.read(home.secrets), installed).migrations()
        asyncio.run(Supervisor(migrations, home.logs, lambda: None).start())
        typer.echo("Every schema is up to date.")


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what a person can act on into one line and an exit code."""
    try:
        yield
    except StackError as error:
        complain(str(error), error.lines)
        raise typer.Exit(FAILED) from error
    except BrokenPipeError:  # `quartet logs | head`: click ends in silence
        raise
    except OSError as error:
        complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        raise typer.Exit(FAILED) from error
    except KeyboardInterrupt as interrupt:
        complain("interrupted")
        raise typer.Exit(INTERRUPTED) from interrupt
