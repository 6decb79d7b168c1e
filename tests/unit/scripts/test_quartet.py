"""The command `quartet` as a whole: all of it is there, and no command waits for what only others need."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from infra.home import REPOSITORY
from scripts.quartet import LATER, app

WIDE = {"COLUMNS": "200"}
OF_THE_STACK = ("up", "down", "reset", "status", "logs", "migrate")


def test_the_stack_is_looked_at_without_what_speaks_to_it() -> None:
    """`quartet status` imports no client of a database, a broker or a service."""
    command = [sys.executable, "-c", "import sys, scripts.quartet; print(*sys.modules)"]
    loaded = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout.split()
    assert "scripts.stack" in loaded
    assert not {"sqlalchemy", "aio_pika", "httpx", "pydantic"} & set(loaded)


@pytest.mark.parametrize("name", [*OF_THE_STACK, *LATER])
def test_every_command_is_listed_and_explains_itself(name: str) -> None:
    """Under its own name, wherever it is kept."""
    assert f"│ {name} " in CliRunner().invoke(app, ["--help"], env=WIDE).stdout
    told = CliRunner().invoke(app, [name, "--help"], env=WIDE)
    assert told.exit_code == 0
    assert f" {name} " in told.stdout
    assert "--install-completion" not in told.stdout


def test_a_typing_error_is_met_with_a_suggestion() -> None:
    """Those that come later are suggested too."""
    told = CliRunner().invoke(app, ["audti"])
    assert told.exit_code == 2
    assert "audit" in told.stderr
