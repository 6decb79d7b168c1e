"""What is done to programs, in Docker and natively: to this stack's, and to no others."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from infra.docker.project import Project
from infra.failure import StackError
from infra.home import Home
from infra.native.board import Board, Entry
from infra.native.processes import identity_of
from infra.standing import Phase, State
from scripts.chaos.docker import DockerHosts
from scripts.chaos.hosts import Hosts
from scripts.chaos.native import NativeHosts
from tests.unit.infra.standins import until

STARTED_AT = "2026-01-02T03:04:05.678901234Z"


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a `docker` in the way that notes its arguments, and knows two containers of payment and a broker."""
    told = [container("payment", 2, "paused"), container("payment", 1, "running"), container("rabbitmq", 1, "running")]
    (tmp_path / "told.json").write_text(json.dumps(told))
    answer = f"case $1 in ps) echo a b c;; inspect) cat {tmp_path}/told.json;; esac"
    script = f'#!/bin/bash\n{answer}\necho "$@" >> {tmp_path}/asked\n'
    (tmp_path / "docker").write_text(script)
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


def container(service: str, number: int, status: str) -> dict[str, Any]:
    """What `docker inspect` says of one."""
    labels = {"com.docker.compose.service": service, "com.docker.compose.container-number": str(number)}
    state = {"Status": status, "ExitCode": 0, "StartedAt": STARTED_AT}
    return {"Id": f"id-{service}-{number}", "RestartCount": 0, "Config": {"Labels": labels}, "State": state}


def asked(docker: Path) -> list[str]:
    """Give the commands that changed something."""
    return [line for line in (docker / "asked").read_text().splitlines() if not line.startswith(("ps ", "inspect "))]


async def test_docker_commands(docker: Path) -> None:
    """Each is about the one container that was meant."""
    hosts: Hosts = DockerHosts(Project(Home(Path("/somewhere"))))
    assert await hosts.names("payment") == ["payment-1", "payment-2"]
    await hosts.kill("payment-1")
    await hosts.quit("payment-1")
    await hosts.freeze("payment-1")
    await hosts.thaw("payment-1")
    await hosts.thaw("payment-2")
    await hosts.rabbitmqctl("set_disk_free_limit", "200MB")
    assert asked(docker) == [
        "kill id-payment-1",
        "kill --signal QUIT id-payment-1",
        "pause id-payment-1",
        "unpause id-payment-2",
        "exec id-rabbitmq-1 rabbitmqctl --quiet set_disk_free_limit 200MB",
    ]


async def test_docker_asks_for_this_projects_containers_alone(docker: Path) -> None:
    """Another checkout's have another label."""
    project = Project(Home(Path("/somewhere")))
    await DockerHosts(project).names("payment")
    assert project.label in (docker / "asked").read_text().splitlines()[0]


async def test_docker_knows_a_container_that_was_started_anew(docker: Path) -> None:
    """By when that was."""
    hosts = DockerHosts(Project(Home(Path("/somewhere"))))
    before = await hosts.incarnation("payment-1")
    told = (docker / "told.json").read_text()
    (docker / "told.json").write_text(told.replace("03:04:05", "03:04:06"))
    assert await hosts.incarnation("payment-1") != before
    (docker / "told.json").write_text(told.replace('"running"', '"exited"'))
    assert await hosts.incarnation("payment-1") == ""
    with pytest.raises(StackError, match="no container of payment-3"):
        await hosts.kill("payment-3")


async def test_docker_starts_what_has_ended_alone(docker: Path) -> None:
    """It refuses to start what is paused, and an undoing would end there."""
    hosts = DockerHosts(Project(Home(Path("/somewhere"))))
    for name in ("payment-1", "payment-2"):
        await hosts.revive(name)
    assert asked(docker) == []
    told = (docker / "told.json").read_text()
    (docker / "told.json").write_text(told.replace('"running"', '"exited"'))
    await hosts.revive("payment-1")
    assert asked(docker) == ["start id-payment-1"]


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process with one below it, both of which only wait; it says when they do."""
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(flush=True); input()'])"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        for below in psutil.Process(process.pid).children():
            below.kill()
        process.kill()


def native(tmp_path: Path, pid: int, identity: str) -> NativeHosts:
    """Make a stack whose payment has this process."""
    entry = Entry("payment-1", State.READY, False, pid, identity, (), None, 0, None, signal.SIGTERM)
    home = Home(tmp_path)
    Board(Phase.UP, 1, "", (entry,)).write(home.board)
    return NativeHosts(home)


async def test_a_process_is_frozen_with_those_below_it(tmp_path: Path, child: subprocess.Popen[bytes]) -> None:
    """Or a server's workers would go on answering; and all of them go on in the end."""
    hosts: Hosts = native(tmp_path, child.pid, identity_of(child.pid))
    (below,) = psutil.Process(child.pid).children()
    assert await hosts.names("payment") == ["payment-1"]
    assert await hosts.incarnation("payment-1")

    def stopped() -> list[bool]:
        return [one.status() == psutil.STATUS_STOPPED for one in (below, psutil.Process(child.pid))]

    await hosts.freeze("payment-1")
    await until(lambda: all(stopped()))
    await hosts.thaw("payment-1")
    await until(lambda: not any(stopped()))


@pytest.mark.parametrize("identity", ["", "another:1"])
async def test_a_stranger_with_its_number_is_left_alone(
    tmp_path: Path, child: subprocess.Popen[bytes], identity: str
) -> None:
    """A number is given out again; who has it now is not ours."""
    hosts = native(tmp_path, child.pid, identity)
    for harm in (hosts.kill, hosts.quit, hosts.freeze):
        with pytest.raises(StackError, match="payment-1 does not run"):
            await harm("payment-1")
    assert child.poll() is None
    assert await hosts.incarnation("payment-1") == ""


async def test_what_is_not_there(tmp_path: Path) -> None:
    """Is a sentence, and no traceback."""
    with pytest.raises(StackError, match="there is no payment"):
        await NativeHosts(Home(tmp_path)).kill("payment")
