"""A service as the real program that `make up` runs, for what only a process can show: signals and its end."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from infra.home import REPOSITORY
from infra.native.child import Child
from infra.native.environment import inherited
from infra.native.logs import log_file
from infra.native.probes import http_ok
from infra.native.program import Program
from infra.native.readiness import became_ready
from infra.native.running import free_ports
from tests.integration.outside import OPERATOR_KEY
from tests.integration.stage import Stage


@asynccontextmanager
async def process(stage: Stage, name: str, logs: Path, **settings: str) -> AsyncIterator[Child]:
    """Run a service, ready; at the end it is killed if it still runs."""
    program = _program(stage, name, f"services.{name}", settings)
    async with _running(program, logs) as child:
        assert await became_ready(program, child), log_file(logs, name).read_text()
        yield child


@asynccontextmanager
async def begun(stage: Stage, name: str, module: str, logs: Path, **settings: str) -> AsyncIterator[Child]:
    """Run a module as a service, ready or not; at the end it is killed if it still runs."""
    async with _running(_program(stage, name, module, settings), logs) as child:
        yield child


def _program(stage: Stage, name: str, module: str, settings: Mapping[str, str]) -> Program:
    (port,) = free_ports(1)
    return Program(
        name=name,
        argv=(sys.executable, "-m", module),
        env=inherited(
            QUARTET_DATABASE_URL=stage.servers.database_url(f"{name}_service"),
            QUARTET_BROKER_URL=stage.servers.broker_url(name),
            QUARTET_HTTP_PORT=str(port),
            QUARTET_PROVIDER_URL=stage.outside.provider_url,
            QUARTET_SMTP_URL=stage.outside.smtp_url,
            QUARTET_OPERATOR_KEY=OPERATOR_KEY,
            **settings,
        ),
        cwd=REPOSITORY,
        ready=partial(http_ok, port, "/readyz"),
    )


@asynccontextmanager
async def _running(program: Program, logs: Path) -> AsyncIterator[Child]:
    child = Child(program, log_file(logs, program.name))
    try:
        yield child
    finally:
        await child.kill()
