"""Small programs that stand in for servers and services: shell scripts that leave traces in a directory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from infra.native.program import Program, Restarts
from infra.native.seat import Seat
from infra.native.supervisor import Supervisor
from infra.standing import State
from shared.backoff import Backoff

DEADLINE_S = 10.0
LOOK_EVERY_S = 0.01
FOR_EVER = "exec {pipe}<> <(:); while true; do read -t 0.2 -u $pipe; done"
"""A wait of bash itself: a `sleep` would be a process of its own, and outlive it. In turns, because what it is
told just before it reads, it hears after that."""
SOON = Restarts(backoff=Backoff(first_s=0.02, most_s=0.1), healthy_after_s=60.0)


def program(directory: Path, name: str, script: str, **more: Any) -> Program:
    """Give a program that runs `script` in `directory` with bash; `trace WORD` adds a word to `traces`."""
    preamble = f'trace() {{ echo "{name} $1" >> traces; }}; '
    defaults: dict[str, Any] = {"ready_timeout_s": 5.0, "stop_timeout_s": 5.0, "restarts": SOON}
    return Program(
        name=name,
        argv=("/bin/bash", "-c", preamble + script),
        env={"PATH": "/usr/bin:/bin"},
        cwd=directory,
        **defaults | more,
    )


def lasting(directory: Path, name: str, **more: Any) -> Program:
    """Give a program that is ready once it has left its trace, and ends when asked to."""
    script = "trap 'trace ended; exit 0' TERM; trace started; " + FOR_EVER

    async def started() -> bool:
        return f"{name} started" in traces(directory)

    return program(directory, name, script, **{"ready": started} | more)


def once(directory: Path, name: str, script: str = "trace ran", **more: Any) -> Program:
    """Give a program that runs to its end."""
    return program(directory, name, script, once=True, **more)


def traces(directory: Path) -> list[str]:
    """Read the traces of all programs, in the order that they were left in."""
    file = directory / "traces"
    return file.read_text().splitlines() if file.exists() else []


@asynccontextmanager
async def supervised(directory: Path, *programs: Program) -> AsyncIterator[Supervisor]:
    """Give a supervisor of these programs; stop it at the end."""
    supervisor = Supervisor(programs, directory, lambda: None)
    try:
        yield supervisor
    finally:
        await supervisor.stop()


def seat_of(supervisor: Supervisor, name: str) -> Seat:
    """Find a program's seat."""
    return next(seat for seat in supervisor.seats if seat.program.name == name)


def states(supervisor: Supervisor) -> dict[str, State]:
    """Say where every program stands."""
    return {seat.program.name: seat.state for seat in supervisor.seats}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for a state. Raises TimeoutError."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - files and processes are looked at; they set no event
            await asyncio.sleep(LOOK_EVERY_S)
