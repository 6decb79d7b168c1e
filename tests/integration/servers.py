"""The servers of a session: one PostgreSQL and one RabbitMQ, whoever runs them, furnished as `make up` does it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pytest
from alembic.command import upgrade
from alembic.config import Config

from infra.home import REPOSITORY
from infra.native.running import Running
from infra.ports import HOST, SCHEMAS
from infra.rabbitmq.users import VHOST
from infra.topology import TABLES
from shared.broker.declare import declare_at
from shared.topology import DELAY_TIERS_MS, Topology, listening_to, topology_of

PASSWORD = "a-test"
TIERS_MS = (100, 200, 500)
"""The delays of the tests that retry; the system's own are declared beside them."""


class Server(Protocol):
    """What a test does to a server: `Running` natively, `Contained` in a container."""

    async def start(self) -> None:
        """Start it on the data and the port that it had, and wait until it is ready."""

    async def stop(self) -> None:
        """Ask it to end and wait for it."""

    async def kill(self) -> None:
        """Kill it as a power cut would."""

    async def restart(self) -> None:
        """Stop it and start it again."""

    def freeze(self) -> None:
        """Stop it in its tracks: connections stay open, and nobody answers."""

    def thaw(self) -> None:
        """Let it go on."""


@dataclass(frozen=True, slots=True)
class Servers:
    """Both servers, each with the handle that kills, freezes and restarts it, and its ports on this machine."""

    database: Server
    database_port: int
    database_log: Callable[[], bytes]
    """Reads all that it has logged."""
    broker: Server
    broker_port: int
    management_port: int
    programs: Running
    """Runs programs that run once, such as a migration."""

    def database_url(self, role: str, database: str = "quartet") -> str:
        """Give the address that a role, such as `order_service`, connects to."""
        return f"postgresql://{role}:{PASSWORD}@{HOST}:{self.database_port}/{database}"

    def broker_url(self, user: str) -> str:
        """Give the address that a user, such as `order`, connects to."""
        return f"amqp://{user}:{PASSWORD}@{HOST}:{self.broker_port}/{VHOST}"


def topology() -> Topology:
    """Give the topology of all services, with short delays beside their own."""
    return topology_of(TABLES, (*TIERS_MS, *DELAY_TIERS_MS))


async def furnish(servers: Servers) -> None:
    """Make the schemas and declare the topology, on servers that have their roles and users."""
    await asyncio.gather(
        declare_at(topology() + listening_to(TABLES), servers.broker_url("topology")),
        asyncio.to_thread(migrate, servers, *SCHEMAS),
    )


def migrate(servers: Servers, *services: str, role: str | None = None) -> None:
    """Migrate as each one's program does, as its migrator or another role, without the second that a program takes."""
    for service in services:
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("QUARTET_DATABASE_URL", servers.database_url(role or f"{service}_migrator"))
            upgrade(Config(REPOSITORY / "services" / service / "alembic.ini"), "head")
