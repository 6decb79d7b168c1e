"""The servers of a session as `make up` runs them without Docker: the wheel's PostgreSQL, the system's RabbitMQ."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infra.credentials import DATABASE_ROLES, role_variable
from infra.failure import StackError
from infra.native.install import find
from infra.native.logs import log_file
from infra.native.postgres import Postgres
from infra.native.rabbitmq import Ports, RabbitMQ
from infra.native.running import Running, free_ports, running, scratch
from infra.rabbitmq.users import USERS
from tests.integration.servers import PASSWORD, Servers, furnish


@asynccontextmanager
async def native_servers() -> AsyncIterator[Servers]:
    """Start both and furnish them; end both and leave nothing behind."""
    installed = find()
    assert installed, "RabbitMQ is not installed"
    postgres_port, *broker_ports = free_ports(6)
    with scratch() as directory:
        postgres = Postgres(directory / "postgres", postgres_port, PASSWORD)
        rabbitmq = RabbitMQ(directory / "rabbitmq", installed, dict.fromkeys(USERS, PASSWORD), Ports(*broker_ports))
        async with _both(postgres, rabbitmq) as (database, broker):
            servers = Servers(
                database=database,
                database_port=postgres.port,
                database_log=log_file(database.logs, "postgres").read_bytes,
                broker=broker,
                broker_port=rabbitmq.ports.amqp,
                management_port=rabbitmq.ports.management,
                programs=database,
            )
            await database.run(postgres.roles({role_variable(role): PASSWORD for role in DATABASE_ROLES}))
            await furnish(servers)
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
