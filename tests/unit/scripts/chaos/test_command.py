"""`quartet chaos`, as it is typed: what is refused says why in one line, and exits with 2."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from scripts.chaos.command import _chosen
from scripts.chaos.experiments import ALL
from scripts.quartet import app

WIDE = {"COLUMNS": "200"}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing be up."""
    monkeypatch.setenv("QUARTET_HOME", str(tmp_path))


def test_every_experiment_is_listed() -> None:
    """Each with what is believed of it, and under a name of its own."""
    told = CliRunner().invoke(app, ["chaos", "list"], env=WIDE).stdout
    assert len({experiment.name for experiment in ALL}) == len(ALL)
    for experiment in ALL:
        assert f"\n{experiment.name} " in told
        assert experiment.hypothesis.endswith(".")
        assert experiment.steady_state.endswith(".")


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (["kill-payment"], "Quartet is not up: `make up` starts it"),
        (["--all"], "Quartet is not up: `make up` starts it"),
        (["kill-the-cat"], "there is no experiment kill-the-cat"),
        ([], "name experiments, or all of them with --all"),
        (["kill-payment", "--all"], "name experiments, or all of them with --all"),
        (["--all", "--soak", "long"], "--soak takes a duration such as 90s, 20m or 2h, not long"),
        (["--all", "--soak", "25h"], "--soak takes at most 24h"),
    ],
)
def test_what_cannot_be_run(typed: list[str], sentence: str) -> None:
    """Nothing is begun."""
    told = CliRunner().invoke(app, ["chaos", "run", *typed])
    assert told.exit_code == 2
    assert sentence in told.stderr
    assert len(told.stderr.splitlines()) == 1


def test_all_leaves_out_what_takes_too_long() -> None:
    """It is run where its name is given."""
    alone = {experiment.name for experiment in ALL if experiment.by_name_alone}
    assert alone
    assert {experiment.name for experiment in _chosen([], all_=True)} == {each.name for each in ALL} - alone
    assert {experiment.name for experiment in _chosen(sorted(alone), all_=False)} == alone
