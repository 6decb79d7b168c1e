"""`quartet graph`: what it prints, and how it ends."""

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from infra.choreography.checks import CHECKS
from infra.choreography.graph import Choreography
from infra.choreography.reading import choreography
from scripts import graph as command
from scripts.quartet import app
from tests.unit.infra.choreography.toys import but


def test_mermaid_is_what_it_prints() -> None:
    """Without an option: the whole dance, ready to be put into a document."""
    result = CliRunner().invoke(app, ["graph"])
    assert result.exit_code == 0
    assert result.output.startswith("flowchart LR\n")
    assert "order.cancelled" in result.output


def test_one_service() -> None:
    """Only what it hears, does and says."""
    result = CliRunner().invoke(app, ["graph", "--service", "inventory", "--format", "dot"])
    assert result.output.startswith('digraph "inventory" {')
    assert "payment." not in result.output


def test_for_programs() -> None:
    """The document, whole."""
    told = json.loads(CliRunner().invoke(app, ["graph", "--format", "json"]).output)
    assert {event["name"] for event in told["events"]} == set(choreography().events)


def test_a_dance_that_keeps_every_promise() -> None:
    """One line, and exit code 0."""
    result = CliRunner().invoke(app, ["graph", "--check"])
    assert (result.exit_code, len(result.output.splitlines())) == (0, 1)
    assert f"all {len(CHECKS)} checks hold" in result.output


def test_a_dance_that_breaks_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line for each finding, by the name of its check, and exit code 1."""
    broken: Choreography = but(without=["shop.close"])
    monkeypatch.setattr(command, "choreography", lambda: broken)
    result = CliRunner().invoke(app, ["graph", "--check"])
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "caused: nothing leads to over: no reaction causes it, and it is neither a command nor an answer",
        "heard: nobody reacts to returned, and it is not final",
    ]


@pytest.mark.parametrize("form", ["mermaid", "dot", "json"])
def test_who_stops_reading_sees_no_traceback(form: str) -> None:
    """`quartet graph | head` ends in silence."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = subprocess.run(
            [sys.executable, "-m", "scripts.quartet", "graph", "--format", form],
            stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert ran.stderr == ""
