"""Migrations: again they change nothing, at once they wait for each other, and the code's tables are the database's."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, Table
from sqlalchemy.exc import ProgrammingError

from infra.native.once import migration
from infra.ports import SERVICES
from services.inventory.store import reservations, stock
from services.notification.store import correspondence
from services.order.store import api_keys, catalogue, orders
from services.payment.store import payments
from shared.store.connection import connect
from tests.integration.servers import Servers, migrate
from tests.integration.stage import Stage

pytestmark = pytest.mark.integration

FRESH = "quartet_fresh"
"""A second database, in which notification has no schema yet. It ends with the server."""
TABLES = {
    "order": (orders, catalogue, api_keys),
    "inventory": (reservations, stock),
    "payment": (payments,),
    "notification": (correspondence,),
}
COLUMNS = """
    SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
    WHERE table_schema = $1 ORDER BY table_name, ordinal_position
"""


async def columns(stage: Stage, service: str) -> Sequence[Any]:
    """Read all columns of a service's schema."""
    return await stage.auditor.rows(COLUMNS, f"{service}_service")


async def test_migrating_again_changes_nothing(servers: Servers, stage: Stage) -> None:
    """A second `make migrate` finds nothing to do."""
    before = [await columns(stage, service) for service in SERVICES]
    await asyncio.to_thread(migrate, servers, *SERVICES)
    assert [await columns(stage, service) for service in SERVICES] == before


async def test_migrations_at_once_wait_for_each_other(servers: Servers, stage: Stage) -> None:
    """Started together on an empty schema, as by several replicas' start: all succeed, and it is migrated once."""
    await stage.auditor.rows(f"CREATE DATABASE {FRESH} OWNER notification_migrator")
    url = servers.database_url("notification_migrator", FRESH)
    engine = connect(url, "test")
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE SCHEMA notification_service")
    runs = [migration("notification", url, name=f"at-once-{number}") for number in range(3)]
    await asyncio.gather(*map(servers.programs.run, runs))
    async with engine.connect() as connection:
        made = await connection.run_sync(reflected, "notification_service", ["correspondence"])
    await engine.dispose()
    assert shape(made["correspondence"]) == shape(correspondence)


async def test_a_migrator_is_refused_anothers_schema(servers: Servers) -> None:
    """With another service's migrations it gets nowhere."""
    services = list(SERVICES)
    for service, other in zip(services, services[1:] + services[:1], strict=True):
        with pytest.raises(ProgrammingError, match="permission denied"):
            await asyncio.to_thread(migrate, servers, other, role=f"{service}_migrator")


@pytest.mark.parametrize("service", SERVICES)
async def test_the_tables_in_the_code_are_those_of_the_database(servers: Servers, service: str) -> None:
    """`store.py` names every column of its tables with its type, and none that is not there."""
    engine = connect(servers.database_url(f"{service}_service"), "test")
    async with engine.connect() as connection:
        names = [table.name for table in TABLES[service]]
        made = await connection.run_sync(reflected, f"{service}_service", names)
    await engine.dispose()
    for table in TABLES[service]:
        assert shape(table) == shape(made[table.name])
        assert table.primary_key.columns.keys() == made[table.name].primary_key.columns.keys()


def reflected(connection: Connection, schema: str, names: Sequence[str]) -> dict[str, Table]:
    """Read some tables of a schema as they are."""
    metadata = MetaData()
    metadata.reflect(connection, schema=schema, only=names)
    return {table.name: table for table in metadata.tables.values()}


def shape(table: Table) -> dict[str, str]:
    """Name the columns with their types as the database would."""
    return {column.name: str(column.type.as_generic()) for column in table.columns}
