"""An extra replica of a service, beside the stack: reached through proxies, or with a clock that is wrong.

It takes part in everything that its service does, in either mode: the database and the broker of both listen on
127.0.0.1. Unlike the stack's own, it is ours to maltreat, and when it is gone the others do its work.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from infra import ports
from infra.credentials import Credentials
from infra.home import PRIVATE, REPOSITORY, Home, make_directory
from infra.native.environment import inherited
from infra.native.probes import http_ok
from infra.native.program import Program
from infra.native.running import Running, free_ports
from infra.ports import HOST
from infra.rabbitmq.users import VHOST
from scripts.chaos.proxy import Proxy, proxied
from scripts.chaos.undoing import to_the_end


@dataclass(frozen=True, slots=True)
class Replica:
    """A running one, with the proxies between it and its servers, and the port of its HTTP interface."""

    process: Running
    database: Proxy
    broker: Proxy
    port: int


@asynccontextmanager
async def replica(
    home: Home, credentials: Credentials, service: str, clock_ahead_s: float = 0.0
) -> AsyncIterator[Replica]:
    """Run one until the end of the block, however that comes; it may have been killed or frozen meanwhile.

    Raises:
        StackError: it does not become ready.
    """
    directory = home.path / "chaos"
    make_directory(directory, PRIVATE)
    (port,) = free_ports(1)
    async with proxied(ports.POSTGRES) as (database, database_port), proxied(ports.AMQP) as (broker, broker_port):
        password = credentials.role(f"{service}_service")
        program = Program(
            name=f"extra-{service}",
            argv=(sys.executable, "-m", *_module(service, clock_ahead_s)),
            env=inherited(
                PYTHONUNBUFFERED="1",
                QUARTET_DATABASE_URL=f"postgresql://{service}_service:{password}@{HOST}:{database_port}/quartet",
                QUARTET_BROKER_URL=f"amqp://{service}:{credentials.broker(service)}@{HOST}:{broker_port}/{VHOST}",
                QUARTET_HTTP_PORT=str(port),
                QUARTET_PROVIDER_URL=f"http://{HOST}:{ports.PROVIDER}",
                QUARTET_SMTP_URL=f"smtp://{HOST}:{ports.MAIL_SMTP}",
                QUARTET_OPERATOR_KEY=credentials.operator_key,
                QUARTET_ENVIRONMENT="development",  # as the stack: else it knows none of its customers' keys
            ),
            cwd=REPOSITORY,
            ready=partial(http_ok, port, "/readyz"),
            ready_timeout_s=45.0,
            stop_timeout_s=20.0,
        )
        process = Running((program,), directory)
        try:
            await process.start()
            yield Replica(process, database, broker, port)
        finally:
            database.toxic = broker.toxic = None
            await to_the_end(process.stop())


def _module(service: str, clock_ahead_s: float) -> tuple[str, ...]:
    return ("scripts.chaos.skewed", service, str(clock_ahead_s)) if clock_ahead_s else (f"services.{service}",)
