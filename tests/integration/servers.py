"""The servers of a session: one PostgreSQL and one RabbitMQ, migrated and declared as `make up` does it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from infra.credentials import DATABASE_ROLES, role_variable
from infra.failure import StackError
from infra.home import REPOSITORY
from infra.native.environment import inherited
from infra.native.install import find
from infra.native.postgres import Postgres
from infra.native.program import Program
from infra.native.rabbitmq import Ports, RabbitMQ
from infra.native.running import Running, free_ports, running, scratch
from infra.ports import SERVICES
from infra.rabbitmq.users import USERS
from infra.topology import TABLES
from shared.broker.declare import declare_at
from shared.topology import DELAY_TIERS_MS, Topology, topology_of

PASSWORD = "a-test"
TIERS_MS = (100, 200, 500)
"""The delays of the tests that retry; the system's own are declared beside them."""
MIGRATION_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, each with the handle that kills, freezes and restarts it."""

    postgres: Postgres
    database: Running
    rabbitmq: RabbitMQ
    broker: Running

    def database_url(self, role: str) -> str:
        """Give the address that a role, such as `order_service`, connects to."""
        return self.postgres.url(role, PASSWORD)

    def broker_url(self, user: str) -> str:
        """Give the address that a user, such as `order`, connects to."""
        return self.rabbitmq.url(user)


def topology() -> Topology:
    """Give the topology of all services, with short delays beside their own."""
    return topology_of(TABLES, (*TIERS_MS, *DELAY_TIERS_MS))


def migration(servers: Servers, service: str, name: str = "migrate") -> Program:
    """Give the program that brings the schema of a service up to date, as its migrator."""
    return Program(
        name=f"{name}-{service}",
        argv=(sys.executable, "-m", "alembic", "-c", f"services/{service}/alembic.ini", "upgrade", "head"),
        env=inherited(QUARTET_DATABASE_URL=servers.database_url(f"{service}_migrator")),
        cwd=REPOSITORY,
        once=True,
        ready_timeout_s=MIGRATION_TIMEOUT_S,
    )


@asynccontextmanager
async def serving() -> AsyncIterator[Servers]:
    """Start both, make the roles and the schemas, declare the topology; end both and leave nothing behind."""
    installed = find()
    assert installed, "RabbitMQ is not installed"
    postgres_port, *broker_ports = free_ports(6)
    with scratch() as directory:
        postgres = Postgres(directory / "postgres", postgres_port, PASSWORD)
        passwords = dict.fromkeys(USERS, PASSWORD)
        rabbitmq = RabbitMQ(directory / "rabbitmq", installed, passwords, Ports(*broker_ports))
        async with _both(postgres, rabbitmq) as (database, broker):
            servers = Servers(postgres, database, rabbitmq, broker)
            await database.run(postgres.roles({role_variable(role): PASSWORD for role in DATABASE_ROLES}))
            await asyncio.gather(
                declare_at(topology(), servers.broker_url("topology")),
                *(database.run(migration(servers, service)) for service in SERVICES),
            )
            yield servers
            await broker.kill()  # its data goes anyway, and an orderly end takes it seconds


@asynccontextmanager
async def _both(postgres: Postgres, rabbitmq: RabbitMQ) -> AsyncIterator[tuple[Running, Running]]:
    """Run both, started and stopped at the same time: each takes seconds."""
    stop, contexts = asyncio.Event(), (running(postgres), running(rabbitmq))
    started: list[asyncio.Future[Running]] = [asyncio.get_running_loop().create_future() for _ in contexts]

    async def run(index: int) -> None:
        try:
            async with contexts[index] as handle:
                started[index].set_result(handle)
                await stop.wait()
        except StackError as error:
            raise AssertionError("\n".join([str(error), *error.lines])) from error

    async with asyncio.TaskGroup() as group:
        for index in range(len(contexts)):
            group.create_task(run(index))
        try:
            yield await started[0], await started[1]
        finally:
            stop.set()
