"""The servers of a session in containers: the official images, with the settings, roles and users of `make up`."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from testcontainers.core.container import DockerContainer

from infra.credentials import DATABASE_ROLES, role_variable
from infra.home import REPOSITORY
from infra.native.postgres import ROLES_SQL, SUPERUSER
from infra.native.probes import http_ok, postgres_accepts
from infra.native.running import Running, free_ports, scratch
from infra.rabbitmq.users import TOPOLOGY, USERS, definitions
from tests.integration.contained import Contained
from tests.integration.reaper import reaped
from tests.integration.servers import PASSWORD, Servers, furnish

POSTGRES_IMAGE = "postgres:17"
RABBITMQ_IMAGE = "rabbitmq:4-management"
IMAGES = (POSTGRES_IMAGE, RABBITMQ_IMAGE)

POSTGRES, AMQP, MANAGEMENT = 5432, 5672, 15672
"""The ports in the containers."""
SETTINGS = REPOSITORY / "infra"
CONFIGURATION = "/configuration"
INITDB_ARGUMENTS = "--auth=scram-sha-256 --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
EMULATOR_ARGUMENTS = "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
"""Two schedulers, and none spins while it waits."""


@asynccontextmanager
async def contained_servers() -> AsyncIterator[Servers]:
    """Start both and furnish them; whatever happens, nothing of them stays."""
    database_port, broker_port, management_port = free_ports(3)
    database = _postgres(database_port)
    broker = _rabbitmq(broker_port, management_port)
    with scratch() as directory, reaped():
        # Both, even if one fails: what is still being made would be missed when all is removed.
        for failure in await asyncio.gather(database.start(), broker.start(), return_exceptions=True):
            if failure:
                raise failure
        servers = Servers(
            database=database,
            database_port=database_port,
            database_log=database.log,
            broker=broker,
            broker_port=broker_port,
            management_port=management_port,
            programs=Running((), directory),
        )
        passwords = {role_variable(role): PASSWORD for role in DATABASE_ROLES}
        psql = ["psql", "-X", "-U", SUPERUSER, "-d", "postgres", "-f", f"{CONFIGURATION}/{ROLES_SQL.name}"]
        await database.run(psql, PGPASSWORD=PASSWORD, **passwords)
        await furnish(servers)
        yield servers


def _postgres(port: int) -> Contained:
    settings = f"{CONFIGURATION}/postgresql.conf"
    container = _named(POSTGRES_IMAGE)
    container.with_envs(POSTGRES_PASSWORD=PASSWORD, POSTGRES_INITDB_ARGS=INITDB_ARGUMENTS)
    container.with_command(["postgres", "-c", f"config_file={settings}", "-c", "listen_addresses=*"])
    container.with_copy_into_container(SETTINGS / "postgres" / "postgresql.conf", settings)
    container.with_copy_into_container(ROLES_SQL, f"{CONFIGURATION}/{ROLES_SQL.name}")
    return Contained(container, {POSTGRES: port}, partial(postgres_accepts, port, SUPERUSER))


def _rabbitmq(port: int, management_port: int) -> Contained:
    settings, users = f"{CONFIGURATION}/rabbitmq.conf", f"{CONFIGURATION}/definitions.json"
    written = (SETTINGS / "rabbitmq" / "rabbitmq.conf").read_text() + f"load_definitions = {users}\n"
    container = _named(RABBITMQ_IMAGE)
    container.with_envs(RABBITMQ_CONFIG_FILE=settings, RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=EMULATOR_ARGUMENTS)
    container.with_copy_into_container(written.encode(), settings)
    container.with_copy_into_container(json.dumps(definitions(dict.fromkeys(USERS, PASSWORD))).encode(), users)
    # It listens for AMQP last, once its users are there.
    ready = partial(http_ok, management_port, f"/api/health/checks/port-listener/{AMQP}", TOPOLOGY, PASSWORD)
    return Contained(container, {AMQP: port, MANAGEMENT: management_port}, ready)


def _named(image: str) -> DockerContainer:
    """Name it so that a person finds it: `docker ps --all --filter name=quartet-test-`."""
    container = DockerContainer(image).with_name(f"quartet-test-{image.partition(':')[0]}-{os.getpid()}")
    return container.with_kwargs(network="bridge")  # or Testcontainers looks for the network that we might live in
