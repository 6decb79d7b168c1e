"""The command line of the audit."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from scripts.audit import seconds
from scripts.quartet import app


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("5s", 5), ("10m", 600), ("1.5h", 5400), ("1d", 86_400), (" 2m ", 120)]
)
def test_a_duration(text: str, expected: float) -> None:
    """In seconds, unless a unit says otherwise."""
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "m", "ten minutes", "-5s", "5w"])
def test_no_duration(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(typer.BadParameter):
        seconds(text)


def test_without_a_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One line, and the exit code of what cannot be reached."""
    monkeypatch.setenv("QUARTET_HOME", str(tmp_path))
    result = CliRunner().invoke(app, ["audit"])
    assert result.exit_code == 2
    assert len(result.output.splitlines()) == 1
    assert "make up" in result.output
