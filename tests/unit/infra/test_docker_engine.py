"""Talking to Docker, with small scripts in the place of the `docker` command."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from infra.docker import engine
from infra.docker.engine import ask, printed_by, watched, why_not
from infra.docker.logs import read_logs, whole_logs
from infra.docker.project import Project
from infra.failure import StackError
from infra.home import Home

Install = Callable[[str], None]

HANGS = "exec {pipe}<> <(:); read -u $pipe"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a script where `docker` is looked for."""
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    def install(script: str) -> None:
        (tmp_path / "docker").write_text(f"#!/bin/bash\n{script}\n")
        (tmp_path / "docker").chmod(0o755)

    return install


def test_an_engine_that_answers(docker: Install) -> None:
    """There is no reason not to use it."""
    docker("exit 0")
    assert why_not() == ""


def test_there_may_be_no_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most servers have none."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert why_not() == "there is no `docker` command"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("[ $1 != compose ]", "`docker compose` is missing"),
        ("[ $1 = compose ]", "no Docker engine answers"),
        (
            "[ $1 = compose ] || { echo permission denied while trying to connect >&2; exit 1; }",
            "this user may not speak to the Docker engine",
        ),
        (f"[ $1 = compose ] || {{ {HANGS}; }}", "the Docker engine did not answer within 0.2 s"),
    ],
)
def test_the_reason_is_told(docker: Install, monkeypatch: pytest.MonkeyPatch, script: str, reason: str) -> None:
    """In words; an engine that hangs holds nobody up."""
    if "did not answer" in reason:
        monkeypatch.setattr(engine, "ANSWER_TIMEOUT_S", 0.2)
    docker(script)
    assert why_not() == reason


def gone(pid: int) -> bool:
    """Wait until a process has gone."""
    with suppress(psutil.NoSuchProcess):
        return not psutil.wait_procs([psutil.Process(pid)], timeout=5)[1]
    return True


def test_what_is_ended_leaves_no_plugin_behind(docker: Install, tmp_path: Path) -> None:
    """Compose is a process below `docker`, and would go on."""
    docker(f"bash -c 'echo $$ > {tmp_path}/pid; {HANGS}' & wait")
    with pytest.raises(StackError, match="took longer than"):
        watched(("compose", "up"), tmp_path, tmp_path / "log", 2.0, lambda _: None)
    assert gone(int((tmp_path / "pid").read_text()))


def test_a_failure_is_told_with_what_was_printed(docker: Install, tmp_path: Path) -> None:
    """And without the options, which are long."""
    docker("echo no such thing; exit 3")
    with pytest.raises(StackError, match="`docker compose build` failed") as failure:
        watched(("compose", "--file", "x", "build"), tmp_path, tmp_path / "log", 5.0, lambda _: None)
    assert failure.value.lines == ("no such thing",)


def test_who_waits_is_told_the_last_line(docker: Install, tmp_path: Path) -> None:
    """Again and again."""
    told: list[str] = []
    docker("echo one; echo two; sleep 0.8")
    watched(("compose", "build"), tmp_path, tmp_path / "log", 5.0, told.append)
    assert set(told) == {"two"}


def test_the_shells_variables_do_not_beat_the_file(docker: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose prefers the environment to `--env-file`, and would pick up another's compose file."""
    monkeypatch.setenv("QUARTET_POSTGRES_PASSWORD", "another")
    monkeypatch.setenv("COMPOSE_FILE", "/elsewhere.yml")
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere")
    docker("env")
    printed = ask("version")
    assert "another" not in printed
    assert "COMPOSE_FILE" not in printed
    assert "DOCKER_HOST=tcp://elsewhere" in printed


def test_lines_come_as_they_are_printed(docker: Install) -> None:
    """And closing ends the command."""
    docker(f"echo $$; {HANGS}")
    lines = printed_by("logs")
    pid = int(next(lines))
    lines.close()  # type: ignore[attr-defined]  # a generator is an iterator
    assert gone(pid)


def test_a_command_that_prints_and_fails(docker: Install) -> None:
    """What it printed is given, and then that it failed, in its last words."""
    docker("echo one; echo the driver keeps nothing >&2; exit 1")
    lines = printed_by("logs", "id")
    assert [next(lines), next(lines)] == ["one", "the driver keeps nothing"]
    with pytest.raises(StackError, match="`docker logs` failed") as failure:
        next(lines)
    assert failure.value.lines == ("the driver keeps nothing",)


TOLD = """
case $1 in
  ps) echo one; echo two ;;
  inspect) printf '%s' '[{"Id": "one", "RestartCount": 0, "State": {"Status": "running", "ExitCode": 0,
    "StartedAt": "2026-01-01T00:00:00Z"}, "Config": {"Labels": {"com.docker.compose.service": "order",
    "com.docker.compose.container-number": "2"}}}]' ;;
  logs) echo "of $2"; echo to stderr >&2 ;;
esac
"""


def test_a_container_tells_all_that_was_kept_of_it(docker: Install, tmp_path: Path) -> None:
    """Whatever it was written to."""
    docker(TOLD)
    assert [(name, list(lines)) for name, lines in whole_logs(Project(Home(tmp_path)))] == [
        ("order-2", ["of one\n", "to stderr\n"])
    ]


PRINTED = r"""
[ "$4" = quartet-x ] || true
printf '\033[2Korder-1  | 2026-01-01T00:00:03.000000000Z third\n'
printf 'payment-1  | 2026-01-01T00:00:02.000000000Z second\n'
printf '\033[2Korder-2  | 2026-01-01T00:00:01.000000000Z \n'
printf 'something else\n'
"""


@pytest.mark.parametrize(
    ("name", "scale", "lines", "expected"),
    [
        ("", 2, 9, ["order-1              | ", "payment-1            | second", "order-1              | third"]),
        ("payment", 1, 9, ["second"]),
        ("order", 2, 9, ["order-2 | ", "order-1 | third"]),
        ("order-1", 2, 9, ["third"]),
        ("order", 2, 1, ["order-1 | third"]),
        ("order", 2, 0, []),
    ],
)
def test_logs_are_read_as_one(
    docker: Install, tmp_path: Path, name: str, scale: int, lines: int, expected: list[str]
) -> None:
    """By the times that the engine noted, under the names that `status` shows."""
    docker(PRINTED)
    read = list(read_logs(Project(Home(tmp_path)), name, scale, lines, follow=False))
    if name:
        assert read == expected
    else:
        assert [line.split("|")[1] for line in read] == [" ", " second", " third"]


def test_a_program_that_there_is_not_has_no_log(tmp_path: Path) -> None:
    """Those that there are, are named."""
    with pytest.raises(StackError, match=r"no log of order-2; known: .*order"):
        read_logs(Project(Home(tmp_path)), "order-2", 1, 9, follow=False)


def test_a_checkout_has_a_project_of_its_own(tmp_path: Path) -> None:
    """The same for ever, and another than its neighbour's."""
    assert Project(Home(tmp_path)).name == Project(Home(tmp_path)).name
    assert Project(Home(tmp_path)).name != Project(Home(tmp_path / "other")).name
    assert Project(Home(Path("/srv/quartet/.quartet"))).name == "quartet-5a61ba73"


def test_only_what_makes_containers_reads_the_passwords(tmp_path: Path) -> None:
    """`down` works when they are lost."""
    project = Project(Home(tmp_path))
    assert str(tmp_path / "secrets.env") in project.up(2)
    assert "order=2" in project.up(2)
    assert not {"--file", "--env-file"} & set(project.known("down"))
    assert os.fspath(tmp_path) not in " ".join(project.known("down"))
