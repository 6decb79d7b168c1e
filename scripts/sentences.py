"""How a command ends: what a person can act on is one line and an exit code, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from infra.failure import StackError
from scripts.stack_screen import complain

NOT_UP = "Quartet is not up: `make up` starts it"
FAILED = 2
INTERRUPTED = 130


@contextmanager
def sentences() -> Iterator[None]:
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


class Understood(TyperGroup):
    """A command line that is not understood ends as every command does: in one line, not in a box of five."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Read what is meant for all commands."""
        with _in_one_line():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Read what is meant for one command, and run it."""
        with _in_one_line():
            return super().invoke(ctx)


@contextmanager
def _in_one_line() -> Iterator[None]:
    try:
        yield
    except typer.TyperException as error:
        if not error.format_message():  # nothing was asked for: the help has been shown
            raise
        context = getattr(error, "ctx", None)
        where = f" (see `{context.command_path} --help`)" if context else ""
        complain(" ".join(error.format_message().split()).rstrip(".") + where)
        raise typer.Exit(FAILED) from error
