"""What each service's database roles may do: all that they need in their own schema, and nothing anywhere else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from infra.ports import SERVICES
from tests.integration.stage import Stage

pytestmark = pytest.mark.integration

KIT_TABLES = ("events", "inbox", "outbox", "intents", "requests")
PAIRS = [(service, other) for service in SERVICES for other in SERVICES if service != other]
Refused = asyncpg.InsufficientPrivilegeError


@asynccontextmanager
async def connected(stage: Stage, role: str) -> AsyncIterator[asyncpg.Connection]:
    """Connect as a role."""
    connection = await asyncpg.connect(stage.servers.database_url(role), timeout=20)
    try:
        yield connection
    finally:
        await connection.close(timeout=20)


@pytest.mark.parametrize(("service", "other"), PAIRS)
async def test_a_service_is_refused_every_other_schema(stage: Stage, service: str, other: str) -> None:
    """Neither the service nor its migrator reads one row of another's, whatever the table."""
    tables = [
        row["tablename"]
        for row in await stage.auditor.rows("SELECT tablename FROM pg_tables WHERE schemaname = $1", f"{other}_service")
    ]
    assert set(KIT_TABLES) < set(tables)
    for role in (f"{service}_service", f"{service}_migrator"):
        async with connected(stage, role) as connection:
            for table in tables:
                with pytest.raises(Refused):
                    await connection.fetch(f"SELECT FROM {other}_service.{table}")
            with pytest.raises(Refused):
                await connection.execute(f"CREATE TABLE {other}_service.mine (id int)")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_cannot_rewrite_its_own_history(stage: Stage, service: str) -> None:
    """Its log of events is append-only: no update, no delete, no truncate."""
    async with connected(stage, f"{service}_service") as connection:
        assert await connection.fetch("SELECT * FROM events") == []
        for statement in ("UPDATE events SET version = 1", "DELETE FROM events", "TRUNCATE events"):
            with pytest.raises(Refused):
                await connection.execute(statement)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_cannot_change_its_schema(stage: Stage, service: str) -> None:
    """It owns nothing: it makes, alters and drops no table, not even its own or a public one."""
    async with connected(stage, f"{service}_service") as connection:
        for statement in (
            "CREATE TABLE mine (id int)",
            "CREATE TABLE public.mine (id int)",
            "ALTER TABLE inbox ADD COLUMN mine int",
            "DROP TABLE outbox",
            "CREATE INDEX mine ON events (type)",
        ):
            with pytest.raises(Refused):
                await connection.execute(statement)


AUDITED = {
    "order": {"orders"},
    "inventory": {"reservations", "stock"},
    "payment": {"payments"},
    "notification": {"correspondence"},
}


@pytest.mark.parametrize("service", SERVICES)
async def test_the_auditor_reads_what_it_needs_and_no_more(stage: Stage, service: str) -> None:
    """It sees states, logs and what is under way; no request bodies, no catalogue, no operator's doings."""
    granted = {"events", "inbox", "outbox", "intents", "dead_letters"} | AUDITED[service]
    schema = f"{service}_service"
    async with connected(stage, "auditor") as connection:
        for row in await stage.auditor.rows("SELECT tablename FROM pg_tables WHERE schemaname = $1", schema):
            if (table := row["tablename"]) in granted:
                await connection.fetch(f"SELECT FROM {schema}.{table}")
            else:
                with pytest.raises(Refused):
                    await connection.fetch(f"SELECT FROM {schema}.{table}")


@pytest.mark.parametrize("service", SERVICES)
async def test_the_auditor_changes_nothing(stage: Stage, service: str) -> None:
    """Not even where it asks for a transaction that may write."""
    async with connected(stage, "auditor") as connection:
        await connection.execute("SET default_transaction_read_only = off")
        for table in ("events", "inbox", "outbox", "intents", "dead_letters", *AUDITED[service]):
            for statement in ("DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES", "TRUNCATE {}", "DROP TABLE {}"):
                with pytest.raises(Refused):
                    await connection.execute(statement.format(f"{service}_service.{table}"))
        with pytest.raises(Refused):
            await connection.execute(f"CREATE TABLE {service}_service.mine (id int)")


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_never_deletes_its_aggregates(stage: Stage, service: str) -> None:
    """Its own state tables are written to and kept; the catalogue is only read."""
    own = {"order": "orders", "inventory": "stock", "payment": "payments", "notification": "correspondence"}
    async with connected(stage, f"{service}_service") as connection:
        await connection.fetch(f"SELECT * FROM {own[service]}")  # noqa: S608 - ours
        with pytest.raises(Refused):
            await connection.execute(f"DELETE FROM {own[service]}")  # noqa: S608 - ours
        if service == "order":
            with pytest.raises(Refused):
                await connection.execute("UPDATE catalogue SET unit_price = 1")


async def test_order_issues_and_revokes_keys_and_does_nothing_else_to_them(stage: Stage) -> None:
    """It makes none that is revoked or of another time, hands none to another customer, and forgets none."""
    async with connected(stage, "order_service") as connection:
        await connection.execute("INSERT INTO api_keys (key_hash, customer_id) VALUES (sha256('a'), 'ann')")
        for statement in (
            "INSERT INTO api_keys (key_hash, customer_id, created_at) VALUES (sha256('b'), 'ann', now())",
            "UPDATE api_keys SET customer_id = 'ben'",
            "UPDATE api_keys SET key_hash = sha256('b')",
            "DELETE FROM api_keys",
            "TRUNCATE api_keys",
            "DELETE FROM operator_actions",
            "UPDATE operator_actions SET action = ''",
        ):
            with pytest.raises(Refused):
                await connection.execute(statement)
        await connection.execute("UPDATE api_keys SET revoked_at = now()")


async def test_the_dashboard_sees_its_own_schema_alone(stage: Stage) -> None:
    """It reads no service's tables, makes none, and cannot rewrite what it was told."""
    async with connected(stage, "dashboard_service") as connection:
        await connection.fetch("SELECT FROM events")
        for statement in (
            *(f"SELECT FROM {service}_service.events" for service in SERVICES),
            "UPDATE events SET version = 1",
            "DELETE FROM events",
            "CREATE TABLE mine (id int)",
        ):
            with pytest.raises(Refused):
                await connection.execute(statement)
    for service in SERVICES:
        async with connected(stage, f"{service}_service") as connection:
            with pytest.raises(Refused):
                await connection.fetch("SELECT FROM dashboard_service.events")
