"""SQLAlchemy Core's statements, run on the driver itself.

Core writes the SQL and keeps the connections; asyncpg runs it. The way through SQLAlchemy's cursor costs three times
as much for each statement (`docs/performance.md`), and statements are what a small transaction is made of.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import ClauseElement
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.ports import WorldError

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
    """Take a connection from the pool, to run statements that are each their own transaction.

    It goes back only in a state that is known. The pool would not see otherwise, because it was not asked.
    """
    async with engine.connect() as connection:
        driver: Driver = (await connection.get_raw_connection()).driver_connection
        try:
            yield driver
        except (TimeoutError, asyncio.CancelledError):  # nobody knows what the server will yet do with what was sent
            driver.terminate()
            raise
        finally:
            if driver.is_closed() or driver.is_in_transaction():
                await connection.invalidate()


@asynccontextmanager
async def transacting(engine: AsyncEngine) -> AsyncIterator[Driver]:
    """Begin a transaction, and commit it at the end of the block.

    Not with asyncpg's own transaction: after a BEGIN that it was not told the end of, the next one becomes a savepoint
    in it, commits nothing, and says nothing.

    Raises:
        WorldError: the server rolled it back instead, because a statement in it had failed.
    """
    async with driving(engine) as driver:
        await driver.execute("BEGIN")
        try:
            yield driver
        except (TimeoutError, asyncio.CancelledError):
            raise
        except BaseException:
            if not driver.is_closed():
                await driver.execute("ROLLBACK")
            raise
        if await driver.execute("COMMIT") != "COMMIT":
            raise WorldError("the transaction was rolled back: a statement in it had failed")
