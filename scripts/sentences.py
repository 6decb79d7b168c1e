"""How a command ends: what a person can act on is one line and an exit code, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

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
