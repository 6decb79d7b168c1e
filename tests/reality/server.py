"""A PostgreSQL of its own for the time of a command, with the schemas of all services and no broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from infra.credentials import DATABASE_ROLES, role_variable
from infra.native.once import migration
from infra.native.postgres import Postgres
from infra.native.running import free_ports, running, scratch
from tests.simulation.world import SERVICES

PASSWORD = "a-test"
HURRIED = {"fsync": "off", "synchronous_commit": "off"}
"""Nobody cuts its power."""


@asynccontextmanager
async def server() -> AsyncIterator[Callable[[str], str]]:
    """Start it; gives the address for a role. Nothing is left of it afterwards."""
    (port,) = free_ports(1)
    with scratch() as directory:
        postgres = Postgres(directory / "postgres", port, PASSWORD, HURRIED)
        url_of = partial(postgres.url, password=PASSWORD)
        async with running(postgres) as handle:
            await handle.run(postgres.roles({role_variable(role): PASSWORD for role in DATABASE_ROLES}))
            await asyncio.gather(*(handle.run(migration(each, url_of(f"{each}_migrator"))) for each in SERVICES))
            yield url_of
