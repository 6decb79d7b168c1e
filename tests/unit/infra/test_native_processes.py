"""Processes of an earlier run: found again by number and identity, and ended."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL, SIGTERM

import pytest

from infra.home import Home
from infra.native.board import Board
from infra.native.leftovers import end_leftovers, family_of, see_off
from infra.native.processes import Trace, alive, end, gone, identity_of, working_in
from infra.standing import Phase
from tests.unit.infra.standins import FOR_EVER


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends when it is told to."""
    with subprocess.Popen(["/bin/bash", "-c", FOR_EVER], cwd=tmp_path) as process:
        yield process
        process.kill()


def trace_of(process: subprocess.Popen[bytes], identity: str = "") -> Trace:
    return Trace("service", process.pid, identity or identity_of(process.pid), SIGTERM)


def test_a_process_is_itself_and_no_other(process: subprocess.Popen[bytes]) -> None:
    """The same each time one asks, and another than its neighbours."""
    assert identity_of(process.pid) == identity_of(process.pid)
    assert identity_of(process.pid) != identity_of(os.getpid())


def test_a_process_that_has_ended_is_nobody(process: subprocess.Popen[bytes]) -> None:
    """Also while its parent has not asked for its exit code yet."""
    trace = trace_of(process)
    os.kill(process.pid, SIGKILL)
    assert gone([trace], timeout_s=5)
    assert process.wait() == -SIGKILL
    assert identity_of(process.pid) == ""
    assert not alive(trace)


def test_ending_waits_until_they_are_gone(process: subprocess.Popen[bytes]) -> None:
    """Each is sent the signal that it stops on."""
    end([trace_of(process)], timeout_s=5)
    assert process.wait() == -SIGTERM


def test_a_stranger_with_the_same_number_is_left_alone(process: subprocess.Popen[bytes]) -> None:
    """A number is given out again; the moment that its process began at is not."""
    stranger = trace_of(process, "another boot:12")
    assert not alive(stranger)
    end([stranger], timeout_s=5)
    assert process.poll() is None


def test_who_does_not_end_is_killed(tmp_path: Path) -> None:
    """After the time that it was given."""
    deaf = "trap '' TERM; echo ready; " + FOR_EVER
    with subprocess.Popen(["/bin/bash", "-c", deaf], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        end([trace_of(process)], timeout_s=0.2)
        assert process.wait() == -SIGKILL


def test_a_server_is_found_by_its_directory_and_its_name(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """A shell that somebody left in the directory is not taken for it."""
    assert process.pid in working_in(tmp_path, {"bash"})
    assert list(working_in(tmp_path, {"postgres"})) == []
    assert list(working_in(tmp_path.parent, {"bash"})) == []


def test_what_a_killed_supervisor_left_is_ended(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    """By what it had written down; a stranger under a number of its own is left alone."""
    home = Home(tmp_path)
    entry = {
        "name": "service", "state": "ready", "once": False, "pid": process.pid, "identity": identity_of(process.pid),
        "ports": [8001], "ready_since": 0.0, "restarts": 0, "last_exit": None, "stop_signal": SIGTERM.value,
    }  # fmt: skip
    stranger = entry | {"name": "stranger", "pid": os.getpid(), "identity": "another boot:12"}
    board = {"phase": "up", "pid": 1, "identity": "", "entries": [entry, stranger], "reason": "", "lines": []}
    home.board.write_text(json.dumps(board))
    said: list[str] = []
    assert end_leftovers(home, said.append)
    assert process.wait() == -SIGTERM
    assert said == [f"ending what an earlier run left: service ({process.pid})"]
    assert not end_leftovers(home, said.append)


def test_a_family_is_waited_for(process: subprocess.Popen[bytes]) -> None:
    """All of it, and who is gone already is no trouble."""
    family = family_of(process.pid)
    assert family[0].pid == process.pid
    process.kill()
    see_off(family)
    assert family_of(process.pid) == [] or process.wait() == -SIGKILL


@pytest.mark.parametrize("text", ["", "{", "[]", '{"phase": "up"}', '{"phase": "nowhere", "entries": []}'])
def test_a_board_that_cannot_be_read_says_nothing(tmp_path: Path, text: str) -> None:
    """It may be of another version, or of a disk that was full."""
    path = tmp_path / "status.json"
    path.write_text(text)
    assert Board.read(path) is None


def test_a_board_is_read_as_it_was_written(tmp_path: Path) -> None:
    """With the reason of a failure and the lines that explain it."""
    board = Board(Phase.FAILED, 1, "boot:1", reason="order ended", lines=("no table",))
    board.write(tmp_path / "status.json")
    assert Board.read(tmp_path / "status.json") == board
