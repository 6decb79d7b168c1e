"""The servers that Quartet runs natively, as they really are: every test here starts one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import astuple
from ipaddress import ip_address

import aio_pika
import asyncpg
import psutil
import pytest
import pytest_asyncio
from aio_pika.exceptions import ProbableAuthenticationError

from infra.credentials import AUDITOR, DATABASE_ROLES, role_variable
from infra.failure import StackError
from infra.native.install import find
from infra.native.postgres import Postgres
from infra.native.probes import http_ok
from infra.native.rabbitmq import Ports, RabbitMQ
from infra.native.running import Running, free_ports, running, scratch
from infra.native.state import NOBODY
from infra.occupied import free
from infra.ports import HOST
from infra.rabbitmq.users import USERS

Database = tuple[Postgres, Running]
Broker = tuple[RabbitMQ, Running]

ABANDONS_A_SERVER = """
import asyncio, signal, sys
from pathlib import Path
from infra.native.postgres import Postgres
from infra.native.running import running

async def main():
    async with running(Postgres(Path(sys.argv[1]), int(sys.argv[2]), password="it is a test")) as handle:
        print(*handle.pids, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""

pytestmark = [pytest.mark.integration, pytest.mark.native, pytest.mark.asyncio(loop_scope="module")]

PASSWORDS = {role_variable(role): f"{role}'s password" for role in DATABASE_ROLES}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def postgres() -> AsyncIterator[Database]:
    with scratch() as directory:
        (port,) = free_ports(1)
        server = Postgres(directory / "postgres", port, password="it is a test")
        async with running(server) as handle:
            await handle.run(server.roles(PASSWORDS))
            yield server, handle


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rabbitmq() -> AsyncIterator[Broker]:
    installed = find()
    assert installed, "RabbitMQ is not installed"
    with scratch() as directory:
        passwords = {user: f"{user}-secret" for user in USERS}
        server = RabbitMQ(directory / "rabbitmq", installed, passwords, Ports(*free_ports(5)))
        async with running(server) as handle:
            yield server, handle


@asynccontextmanager
async def connected(server: Postgres, role: str, database: str = "quartet") -> AsyncIterator[asyncpg.Connection]:
    password = PASSWORDS.get(role_variable(role), server.password)
    connection = await asyncpg.connect(
        host=HOST, port=server.port, user=role, password=password, database=database, timeout=10
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=5)


def everything_below(handle: Running) -> list[psutil.Process]:
    """Every process of a server: those started here, and all that they started."""
    started = [psutil.Process(pid) for pid in handle.pids]
    return started + [worker for process in started for worker in process.children(recursive=True)]


async def test_postgres_never_runs_as_root(postgres: Database) -> None:
    """Started by root it is somebody else; started by anyone else, it is them."""
    _, handle = postgres
    expected = NOBODY.uid if os.geteuid() == 0 else os.geteuid()
    owners = set()
    for process in everything_below(handle):
        with suppress(psutil.NoSuchProcess):  # a worker that has ended since
            owners.add(process.uids().real)
    assert owners == {expected}


async def test_roles_can_be_made_again(postgres: Database) -> None:
    """A second `make up` runs the same SQL on what is there."""
    server, handle = postgres
    await handle.run(server.roles(PASSWORDS))
    async with connected(server, "order_service") as connection:
        assert await connection.fetchval("SELECT current_user") == "order_service"


async def test_a_service_finds_its_own_schema(postgres: Database) -> None:
    """Unqualified names are those of its own schema, for the migrator and the service."""
    server, _ = postgres
    for role in [role for role in DATABASE_ROLES if role != AUDITOR]:  # who names every schema
        async with connected(server, role) as connection:
            assert await connection.fetchval("SELECT current_schema()") == f"{role.rpartition('_')[0]}_service"


async def test_a_service_is_refused_another_schema(postgres: Database) -> None:
    """What order owns, inventory can neither read nor write, and neither can inventory's migrator."""
    server, _ = postgres
    async with connected(server, "order_migrator") as owner:
        await owner.execute("CREATE TABLE IF NOT EXISTS secret (id int)")
        await owner.execute("GRANT SELECT ON secret TO order_service")
    async with connected(server, "order_service") as service:
        assert await service.fetch("SELECT * FROM secret") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await service.execute("CREATE TABLE mine (id int)")
    for stranger in ("inventory_service", "inventory_migrator"):
        async with connected(server, stranger) as connection:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch("SELECT * FROM order_service.secret")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute("CREATE TABLE public.mine (id int)")


async def test_a_service_gets_into_no_other_database(postgres: Database) -> None:
    """Not even the one that every role may usually connect to."""
    server, _ = postgres
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with connected(server, "order_service", "postgres"):
            pass


async def test_no_password_reaches_a_log_or_a_command_line(postgres: Database) -> None:
    """They come in the environment, and statements that hold one are not logged."""
    server, handle = postgres
    with pytest.raises(StackError):
        await handle.run(
            server.roles(PASSWORDS | {role_variable("order_service"): "\\"} | {"PGOPTIONS": "-c nonsense"})
        )
    logs = "".join(log.read_text() for log in handle.logs.glob("*.log"))
    program = server.roles(PASSWORDS)
    assert not any(password in logs or password in " ".join(program.argv) for password in PASSWORDS.values())


async def test_postgres_keeps_what_it_committed_when_it_is_killed(postgres: Database) -> None:
    """Killed as by a power cut and started again on the same data."""
    server, handle = postgres
    async with connected(server, "order_migrator") as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    await handle.kill()
    assert not await server.ready()
    await handle.start()
    async with connected(server, "order_migrator") as connection:
        assert await connection.fetchval("SELECT id FROM kept") == 1


async def test_a_lock_file_with_a_strangers_number_does_not_keep_postgres_down(postgres: Database) -> None:
    """After a reboot the number in `postmaster.pid` may be anybody's."""
    server, handle = postgres
    await handle.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n")
    await handle.start()
    assert await server.ready()


async def test_a_frozen_postgres_is_not_ready(postgres: Database) -> None:
    """Its port still takes connections, so only an answer counts."""
    server, handle = postgres
    handle.freeze()
    try:
        assert not await server.ready()
    finally:
        handle.thaw()
    assert await server.ready()


async def test_the_default_guest_does_not_exist(rabbitmq: Broker) -> None:
    """Neither the user nor the vhost that RabbitMQ makes when it is given none."""
    server, _ = rabbitmq
    with pytest.raises(ProbableAuthenticationError):
        await aio_pika.connect(f"amqp://guest:guest@{HOST}:{server.ports.amqp}/quartet", timeout=10)
    assert not await http_ok(server.ports.management, "/api/overview", "guest", "guest")
    assert await http_ok(server.ports.management, "/api/overview", "topology", server.passwords["topology"])
    assert not await http_ok(server.ports.management, "/api/vhosts/%2F", "topology", server.passwords["topology"])


async def test_everything_listens_on_this_machine_alone(postgres: Database, rabbitmq: Broker) -> None:
    """No port is open to the network."""
    for handle in (postgres[1], rabbitmq[1]):
        listening = [
            connection.laddr.ip
            for process in everything_below(handle)
            for connection in process.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening
        assert all(ip_address(address).is_loopback for address in listening)


async def test_stopping_leaves_no_process(postgres: Database, rabbitmq: Broker) -> None:
    """Not even Erlang's port mapper, which otherwise becomes a daemon."""
    handles = (postgres[1], rabbitmq[1])
    processes = [process for handle in handles for process in everything_below(handle)]
    assert {"postgres", "epmd", "beam.smp"} <= {process.name() for process in processes}
    await asyncio.gather(*(handle.stop() for handle in handles))
    _, left = psutil.wait_procs(processes, timeout=5)
    assert left == []
    assert all(map(free, (postgres[0].port, *astuple(rabbitmq[0].ports))))


async def test_nothing_survives_a_killed_parent() -> None:
    """The kernel tells the servers, PostgreSQL with the signal for an orderly end."""
    with scratch() as directory:
        port = str(free_ports(1)[0])
        parent = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", ABANDONS_A_SERVER, str(directory / "postgres"), port),
            stdout=asyncio.subprocess.PIPE,
        )
        assert parent.stdout
        server = psutil.Process(int(await parent.stdout.readline()))
        processes = [server, *server.children(recursive=True)]
        parent.kill()
        await parent.wait()
        _, left = psutil.wait_procs(processes, timeout=10)
        assert left == []
        assert "database system is shut down" in (directory / "postgres" / "postgres.log").read_text()
