"""The command `quartet` as a whole: all of it is there, and no command waits for what only others need."""

import subprocess
import sys
from pathlib import Path

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


def test_observing_natively_is_refused_in_one_line(tmp_path: Path) -> None:
    """Before anything is begun."""
    told = CliRunner().invoke(app, ["up", "--mode", "native", "--observe"], env={**WIDE, "QUARTET_HOME": str(tmp_path)})
    assert told.exit_code == 2
    assert told.stderr.startswith("quartet: OBSERVE=1 needs Docker")
    assert len(told.stderr.splitlines()) == 1
    assert not (tmp_path / "running.json").exists()
