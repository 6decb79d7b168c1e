"""`quartet simulate`: the simulator is a part of the tests, and is there where they are."""

import sys

import typer

from infra.failure import StackError
from infra.home import REPOSITORY
from scripts.sentences import sentences

sys.path.append(str(REPOSITORY))  # the tests are no package that is installed
try:
    from tests.simulation.__main__ import app
except ModuleNotFoundError:
    app = typer.Typer(add_completion=False)

    @app.command()
    def simulate() -> None:
        """Play the real code through every order of things: not here, where the tests are not."""
        with sentences():
            raise StackError("the simulator is a part of the tests, which are not here: use a clone of the repository")
