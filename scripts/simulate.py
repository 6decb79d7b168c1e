"""`quartet simulate`: the simulator is a part of the tests, and runs where they are."""

import subprocess
import sys

import typer

from infra.failure import StackError
from infra.home import REPOSITORY
from scripts.sentences import sentences

PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
"""What is typed is read by the simulator itself, `--help` included."""


app = typer.Typer(add_completion=False)


@app.command(context_settings=PASSED_ON)
def simulate(context: typer.Context) -> None:
    """Play the real code through every order of things, in a world in memory; exit with 1 if a promise breaks."""
    with sentences():
        if not (REPOSITORY / "tests" / "simulation").is_dir():
            raise StackError("the simulator is a part of the tests, which are not here: use a clone of the repository")
        command = [sys.executable, "-m", "tests.simulation", *context.args]
        raise typer.Exit(subprocess.run(command, cwd=REPOSITORY, check=False).returncode)
