"""The containers of a project, as the engine tells of them, and what that means for the programs in them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.docker.engine import ask
from infra.docker.programs import OBSERVER_PORTS, ONCE, PORTS, PROGRAMS
from infra.docker.project import NUMBER_LABEL, ONE_OFF_LABEL, SERVICE_LABEL, Project
from infra.ports import SERVICES
from infra.run import replica_names
from infra.standing import Line, State

AMOUNT = re.compile(r"(?P<number>[\d.]+)(?P<unit>B|KiB|MiB|GiB)")
UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}

STATES = {
    "created": State.WAITING,
    "restarting": State.RESTARTING,
    "paused": State.NOT_READY,
    "removing": State.STOPPING,
    "exited": State.STOPPED,
    "dead": State.FAILED,
}
HEALTHS = {"healthy": State.READY, "starting": State.STARTING, "unhealthy": State.NOT_READY}


@dataclass(frozen=True, slots=True)
class Container:
    """One container. `started_at` is in Unix seconds."""

    id: str
    service: str
    number: int
    status: str
    health: str
    exit_code: int | None
    started_at: float
    restarts: int

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "Container":
        """Read what `docker inspect` says of it."""
        state, labels = told["State"], told["Config"]["Labels"]
        return cls(
            id=told["Id"],
            service=labels[SERVICE_LABEL],
            number=int(labels[NUMBER_LABEL]),
            status=state["Status"],
            health=(state.get("Health") or {}).get("Status", ""),
            exit_code=state["ExitCode"] if state["Status"] == "exited" else None,
            started_at=datetime.fromisoformat(state["StartedAt"]).timestamp(),
            restarts=told["RestartCount"],
        )

    @property
    def state(self) -> State:
        """Where its program stands."""
        if self.service in ONCE and self.exit_code is not None:
            return State.FAILED if self.exit_code else State.DONE
        if self.status == "running":
            return State.STARTING if self.service in ONCE else HEALTHS.get(self.health, State.READY)
        return STATES.get(self.status, State.NOT_READY)

    @property
    def running(self) -> bool:
        """Whether it has a process, or will have one again by itself."""
        return self.status in {"running", "restarting", "paused"}


def containers_of(project: Project) -> tuple[Container, ...]:
    """Ask for them all.

    Raises:
        StackError: the engine does not answer.
    """
    ids = ask("ps", "--all", "--quiet", "--no-trunc", "--filter", project.label).split()
    if not ids:
        return ()
    # A container may go in between; then inspect fails, though it has told of the others.
    told = json.loads(ask("inspect", "--type", "container", *ids))
    return tuple(Container.of(one) for one in told if one["Config"]["Labels"].get(ONE_OFF_LABEL) != "True")


def lines_of(
    containers: Iterable[Container],
    scale: int,
    memory_bytes: Mapping[str, int],
    now: float | None = None,
    programs: Iterable[str] = PROGRAMS,
) -> tuple[Line, ...]:
    """Tell of every program that there must be, whether or not it has a container."""
    found = {(one.service, one.number): one for one in containers}
    at = datetime.now(UTC).timestamp() if now is None else now
    return tuple(
        _line(name, service, found.get((service, number)), memory_bytes, at)
        for service in programs
        for number, name in enumerate(replica_names(service, scale if service in SERVICES else 1), start=1)
    )


def memory_bytes_of(containers: Iterable[Container]) -> dict[str, int]:
    """Measure what those that run hold, by their ids; it takes the engine seconds."""
    ids = [one.id for one in containers if one.status == "running"]
    if not ids:
        return {}
    told = ask("stats", "--no-stream", "--no-trunc", "--format", "{{.ID}} {{.MemUsage}}", *ids)
    return {line.split()[0]: bytes_of(line.split()[1]) for line in told.splitlines()}


def bytes_of(text: str) -> int:
    """Read an amount such as `12.5MiB`."""
    found = AMOUNT.fullmatch(text)
    return int(float(found["number"]) * UNITS[found["unit"]]) if found else 0


def _line(name: str, service: str, one: Container | None, memory_bytes: Mapping[str, int], at: float) -> Line:
    state = one.state if one else State.MISSING
    return Line(
        name=name,
        state=state,
        pid=None,
        uptime_s=at - one.started_at if one and one.status == "running" else None,
        restarts=one.restarts if one else 0,
        last_exit=one.exit_code if one else None,
        ports=PORTS.get(service) or OBSERVER_PORTS.get(service, ()),
        memory_bytes=memory_bytes.get(one.id) if one else None,
        ready=state in {State.READY, State.DONE},
    )
