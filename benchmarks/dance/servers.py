"""A private PostgreSQL and RabbitMQ for one run: roles, schemas, topology and a catalogue, as `make up` makes them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg

from infra.credentials import DATABASE_ROLES, role_variable
from infra.failure import StackError
from infra.native.install import MISSING, find
from infra.native.once import migration
from infra.native.postgres import SUPERUSER, Postgres
from infra.native.rabbitmq import Ports, RabbitMQ
from infra.native.running import Running, free_ports, running, scratch
from infra.ports import SERVICES
from infra.rabbitmq.users import TOPOLOGY, USERS
from infra.topology import declared
from shared.broker.declare import declare_at

PASSWORD = "a-benchmark"  # noqa: S105 - of servers that end with the run
PRICES = {f"sku-{number:02}": 100 + number for number in range(40)}
"""The catalogue, in minor units of EUR."""
PLENTY = 10_000_000
"""Of every SKU, so that none runs out."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, running."""

    postgres: Postgres
    database: Running
    rabbitmq: RabbitMQ
    broker: Running

    def database_url(self, role: str) -> str:
        """Give the address that a role, such as `order_service`, connects to."""
        return self.postgres.url(role, PASSWORD)

    async def connect(self, database: str = "quartet") -> asyncpg.Connection:
        """Connect as the superuser, who may look everywhere."""
        return await asyncpg.connect(self.postgres.url(SUPERUSER, PASSWORD, database))


@asynccontextmanager
async def serving() -> AsyncIterator[Servers]:
    """Start both and make them ready; end both and leave nothing behind.

    Raises:
        StackError: one of them does not start.
    """
    installed = find()
    if installed is None:
        raise StackError(MISSING)
    postgres_port, *broker_ports = free_ports(6)
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(scratch())
        postgres = Postgres(directory / "postgres", postgres_port, PASSWORD)
        rabbitmq = RabbitMQ(directory / "rabbitmq", installed, dict.fromkeys(USERS, PASSWORD), Ports(*broker_ports))
        database = await stack.enter_async_context(running(postgres))
        broker = await stack.enter_async_context(running(rabbitmq))
        servers = Servers(postgres, database, rabbitmq, broker)
        await database.run(postgres.roles({role_variable(role): PASSWORD for role in DATABASE_ROLES}))
        await declare_at(declared(), rabbitmq.url(TOPOLOGY))
        await asyncio.gather(
            *(database.run(migration(name, servers.database_url(f"{name}_migrator"))) for name in SERVICES)
        )
        await _offer(servers)
        yield servers


async def _offer(servers: Servers) -> None:
    connection = await servers.connect()
    await connection.executemany("INSERT INTO order_service.catalogue VALUES ($1, $1, $2, 'EUR')", list(PRICES.items()))
    await connection.executemany(
        "INSERT INTO inventory_service.stock VALUES ($1, 1, 0, $2, $2, 0, 0)", [(sku, PLENTY) for sku in PRICES]
    )
    await connection.close()
