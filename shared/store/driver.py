"""SQLAlchemy Core's statements, run on the driver itself.

Core writes the SQL and keeps the connections; asyncpg runs it. The way through SQLAlchemy's cursor costs three times
as much for each statement (`docs/performance.md`), and statements are what a small transaction is made of.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncEngine

Driver: TypeAlias = asyncpg.Connection


class Statement:
    """A statement, compiled once. JSON columns come back parsed, by the codec that SQLAlchemy sets on a connection."""

    def __init__(self, statement: ClauseElement) -> None:
        compiled: Any = statement.compile(dialect=dialect())  # type: ignore[no-untyped-call]  # SQLAlchemy's own
        self.sql: str = compiled.string
        self._names: Sequence[str] = compiled.positiontup or ()

    async def rows(self, driver: Driver, **parameters: Any) -> Sequence[asyncpg.Record]:
        """Run it and give the rows that come back.

        Raises:
            asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError: see `by_whose_fault`.
        """
        rows: Sequence[asyncpg.Record] = await driver.fetch(self.sql, *(parameters[name] for name in self._names))
        return rows

    async def run(self, driver: Driver, **parameters: Any) -> int:
        """Run it and say how many rows it touched. Raises as `rows` does."""
        status: str = await driver.execute(self.sql, *(parameters[name] for name in self._names))
        return int(status.rpartition(" ")[2])


@asynccontextmanager
async def driving(engine: AsyncEngine) -> AsyncIterator[Driver]:
    """Take a connection from the pool, to run statements that are each their own transaction."""
    async with engine.connect() as connection:
        driver: Driver = (await connection.get_raw_connection()).driver_connection
        try:
            yield driver
        finally:
            # what the pool would not see, because it was not asked: a lost connection, or a rollback that did not end
            if driver.is_closed() or driver.is_in_transaction():
                await connection.invalidate()
