"""What the engine tells of containers, read as the state of the programs in them."""

from typing import Any

import pytest

from infra.docker.containers import Container, bytes_of, lines_of
from infra.docker.programs import PROGRAMS
from infra.ports import SERVICES
from infra.standing import State

STARTED_AT = "2026-01-02T03:04:05.678901234Z"


def told(service: str, number: int = 1, **state: Any) -> dict[str, Any]:
    """Give what `docker inspect` says of a container."""
    labels = {"com.docker.compose.service": service, "com.docker.compose.container-number": str(number)}
    defaults = {"Status": "running", "ExitCode": 0, "StartedAt": STARTED_AT}
    return {"Id": f"{service}-{number}", "RestartCount": 3, "Config": {"Labels": labels}, "State": defaults | state}


@pytest.mark.parametrize(
    ("service", "state", "expected"),
    [
        ("order", {"Health": {"Status": "healthy"}}, State.READY),
        ("order", {"Health": {"Status": "starting"}}, State.STARTING),
        ("order", {"Health": {"Status": "unhealthy"}}, State.NOT_READY),
        ("order", {}, State.READY),
        ("order", {"Status": "created"}, State.WAITING),
        ("order", {"Status": "restarting", "ExitCode": 1}, State.RESTARTING),
        ("order", {"Status": "paused"}, State.NOT_READY),
        ("order", {"Status": "exited", "ExitCode": 0}, State.STOPPED),
        ("order", {"Status": "exited", "ExitCode": 137}, State.STOPPED),
        ("order", {"Status": "dead"}, State.FAILED),
        ("order", {"Status": "of another version"}, State.NOT_READY),
        ("roles", {"Status": "created"}, State.WAITING),
        ("roles", {}, State.STARTING),
        ("roles", {"Status": "exited", "ExitCode": 0}, State.DONE),
        ("roles", {"Status": "exited", "ExitCode": 3}, State.FAILED),
    ],
)
def test_state(service: str, state: dict[str, Any], expected: State) -> None:
    """What runs once has to end well; what lasts must not end, and is healthy or not."""
    assert Container.of(told(service, **state)).state is expected


def test_every_program_has_a_line() -> None:
    """Also one whose container somebody removed."""
    containers = [Container.of(told(name)) for name in PROGRAMS if name != "payment"]
    lines = {line.name: line for line in lines_of(containers, 1, {})}
    assert tuple(lines) == PROGRAMS
    assert lines["payment"].state is State.MISSING
    assert not lines["payment"].ready
    assert lines["order"].ready
    assert lines["order"].ports == (SERVICES["order"],)


def test_replicas_are_numbered_when_there_are_several() -> None:
    """As they are natively; the servers have none."""
    containers = [Container.of(told("order", number)) for number in (2, 1)]
    lines = {line.name: line for line in lines_of(containers, 2, {"order-2": 7}, now=1767323045.678901 + 60)}
    assert {"order-1", "order-2", "payment-1", "payment-2", "postgres"} <= set(lines)
    assert "order" not in lines
    assert "postgres-1" not in lines
    assert lines["order-2"].memory_bytes == 7
    assert lines["order-2"].uptime_s == pytest.approx(60, abs=0.01)
    assert lines["order-2"].restarts == 3
    assert lines["order-2"].pid is None


@pytest.mark.parametrize(
    ("text", "expected"), [("0B", 0), ("12.5MiB", 13_107_200), ("1.5GiB", 1_610_612_736), ("--", 0)]
)
def test_amounts(text: str, expected: int) -> None:
    """As `docker stats` writes them."""
    assert bytes_of(text) == expected
