"""The command line of the audit."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from infra.audit.audit import Scope, Sources
from infra.audit.facts import Bounds
from infra.audit.findings import EVERY_RULE, Break, Findings
from infra.credentials import Credentials
from infra.home import Home
from infra.run import Mode, Run
from scripts import audit as command
from scripts.audit import SHOWN_MAX, seconds, sources_of
from scripts.quartet import app
from shared.ports import RefusedError


@pytest.mark.parametrize(
    ("text", "expected"), [("90", 90), ("5s", 5), ("10m", 600), ("1.5h", 5400), ("1d", 86_400), (" 2m ", 120)]
)
def test_a_duration(text: str, expected: float) -> None:
    """In seconds, unless a unit says otherwise."""
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "m", "ten minutes", "-5s", "5w", "999999999999d", "9" * 400])
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


@pytest.fixture
def findings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Findings:
    """What the command finds instead of looking."""
    found = Findings.of(EVERY_RULE)

    async def audit(sources: Sources, scope: Scope) -> Findings:
        assert scope == Scope(600, instant=False, bounds=Bounds(settled_for_s=2, overdue_s=60))
        assert "auditor:" in sources.database_url
        return found

    monkeypatch.setenv("QUARTET_HOME", str(tmp_path))
    Credentials.read_or_draw(tmp_path / "secrets.env")
    monkeypatch.setattr(command, "audit", audit)
    return found


ASKED = ["audit", "--since", "10m", "--settled-for", "2s", "--overdue", "1m"]


def test_a_promise_that_is_broken(findings: Findings) -> None:
    """The exit code is 1, the rule and the first orders are named, the rest is counted."""
    for number in range(SHOWN_MAX + 3):
        findings.note([Break("paid-once", f"order-{number}", "it is [not] paid")])
    result = CliRunner().invoke(app, ASKED)
    assert result.exit_code == 1
    assert "order-0 it is [not] paid" in result.output
    assert f"order-{SHOWN_MAX}" not in result.output
    assert "3 more" in result.output
    document = json.loads(CliRunner().invoke(app, [*ASKED, "--json"]).output)
    assert not document["clean"]
    assert len(document["breaks"]) == SHOWN_MAX + 3
    assert {rule["name"]: rule["broken"] for rule in document["rules"]}["paid-once"] == SHOWN_MAX + 3


@pytest.mark.usefixtures("findings")
def test_what_cannot_even_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken promise too, in one line: the database itself refuses to add up what stands there."""

    async def refused(sources: Sources, scope: Scope) -> Findings:
        raise RefusedError("invalid input syntax for type bigint")

    monkeypatch.setattr(command, "audit", refused)
    result = CliRunner().invoke(app, ASKED)
    assert result.exit_code == 1
    assert "invalid input syntax" in result.output
    assert len(result.output.splitlines()) == 1


@pytest.mark.usefixtures("findings")
def test_every_promise_is_kept() -> None:
    """The exit code is 0, and every rule is listed with its promise."""
    result = CliRunner().invoke(app, ASKED, env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for rule in EVERY_RULE:
        assert rule.name in result.output
        assert rule.promise in result.output


@pytest.mark.parametrize(("mode", "read"), [(Mode.NATIVE, ["old.log"]), (Mode.DOCKER, ["old.log", "order-1"])])
def test_whose_logs_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mode: Mode, read: list[str]) -> None:
    """The files that lie there, and those of the containers where the programs run in some."""
    monkeypatch.setattr(command, "whole_logs", lambda _: [("order-1", iter(["placed\n"]))])
    home = Home(tmp_path)
    Credentials.read_or_draw(home.secrets)
    Run(mode, 1).write(home.running)
    home.logs.mkdir()
    (home.logs / "old.log").write_text("placed\n")
    logs = sources_of(home).logs
    assert logs is not None
    assert [page.file for page in logs()] == read


def test_what_was_not_read_is_said(findings: Findings) -> None:
    """A log that is too long, or that is not there: nobody takes silence for a clean one."""
    findings.unread.append("order-1 after its first 32 Mi characters")
    assert "not read order-1 after" in CliRunner().invoke(app, ASKED).output
    document = json.loads(CliRunner().invoke(app, [*ASKED, "--json"]).output)
    assert document["unread"] == findings.unread
