"""What every service's Alembic `env.py` runs: its migrations, by its migration role, one runner at a time."""

import asyncio
from pathlib import Path

from alembic import context, op
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from shared.settings import MigrationSettings

KIT_0001 = Path(__file__).with_name("kit_0001.sql")
"""The kit's own tables, for a service's first migration."""
KIT_0002 = Path(__file__).with_name("kit_0002.sql")
"""What is set aside, for a service's second one."""
KIT_0003 = Path(__file__).with_name("kit_0003.sql")
"""What the auditor may read, for a service's third one."""
KIT_0004 = Path(__file__).with_name("kit_0004.sql")
"""The generation of an outbox row, for a service's next one."""
KIT_0005 = Path(__file__).with_name("kit_0005.sql")
"""The attempts that led to an event, for the one after that."""
KIT_0006 = Path(__file__).with_name("kit_0006.sql")
"""What will be tried again, for the one after that."""


def run_migrations(service: str) -> None:
    """Migrate the schema of `service` to what Alembic was told."""
    asyncio.run(_run(f"{service}_service"))


def run_sql(path: Path, role: str) -> None:
    """Run the statements of a file, with `{role}` for the service's own database role."""
    for statement in path.read_text().replace("{role}", role).split(";\n"):
        if statement.strip():
            op.execute(statement)


async def _run(schema: str) -> None:
    url = make_url(MigrationSettings().database_url).set(drivername="postgresql+asyncpg")
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(_migrate, schema)
    await engine.dispose()


def _migrate(connection: Connection, schema: str) -> None:
    """Hold the schema's lock until the transaction ends: a second runner waits, then finds nothing to do."""
    connection.execute(text("SELECT pg_advisory_xact_lock(hashtext(:schema))"), {"schema": schema})
    context.configure(connection=connection, version_table_schema=schema)
    with context.begin_transaction():
        context.run_migrations()
