"""A service as the real program that `make up` runs, for what only a process can show: signals and its end."""

import sys
from collections.abc import AsyncIterator
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
from tests.integration.stage import OPERATOR_KEY, Stage


@asynccontextmanager
async def process(stage: Stage, name: str, logs: Path, **settings: str) -> AsyncIterator[Child]:
    """Run a service, ready; at the end it is killed if it still runs."""
    (port,) = free_ports(1)
    program = Program(
        name=name,
        argv=(sys.executable, "-m", f"services.{name}"),
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
    child = Child(program, log_file(logs, name))
    try:
        assert await became_ready(program, child), log_file(logs, name).read_text()
        yield child
    finally:
        await child.kill()
