"""Programs of the stack that are found and killed, as a crash would: in either mode, and nothing but ours."""

import os
import signal
import subprocess
from pathlib import Path

from infra.docker.containers import Container, containers_of
from infra.docker.project import Project
from infra.home import Home
from infra.run import Mode
from tests.e2e.conftest import Checkout


def identities(stack: Checkout) -> dict[str, str]:
    """Give what changes when a program is started anew: its process, or its container and when it began."""
    if stack.mode is Mode.NATIVE:
        return {line["name"]: str(line["pid"]) for line in stack.status()["programs"]}
    return {f"{one.service}-{one.number}": f"{one.id} {one.started_at}" for one in _containers(stack)}


def kill(stack: Checkout, service: str) -> None:
    """Kill one replica of a service with SIGKILL; who watches over it brings it back."""
    if stack.mode is Mode.NATIVE:
        pids = {line["name"]: line["pid"] for line in stack.status()["programs"]}
        os.kill(next(pid for name, pid in pids.items() if name in {service, f"{service}-1"}), signal.SIGKILL)
        return
    victim = next(one for one in _containers(stack) if one.service == service)
    # From inside: `docker kill` counts as a person's wish, and the engine would leave it dead.
    subprocess.run(["docker", "exec", victim.id, "sh", "-c", "kill -KILL -1"], check=False, timeout=30)


def remains(directory: Path) -> list[str]:
    """List what Docker still holds of a checkout: containers, networks, volumes, images."""
    project = Project(Home(directory / ".quartet"))
    kinds = (("container", "ls", "--all"), ("network", "ls"), ("volume", "ls"))
    asked = [(*kind, "--quiet", "--filter", project.label) for kind in kinds]
    asked += [("image", "ls", "--quiet", image) for image in project.images]
    answers = [subprocess.run(["docker", *words], capture_output=True, text=True, check=True) for words in asked]
    return [line for answer in answers for line in answer.stdout.splitlines()]


def _containers(stack: Checkout) -> tuple[Container, ...]:
    return containers_of(Project(Home(stack.path / ".quartet")))
