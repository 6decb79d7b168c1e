"""Connections that are used past SQLAlchemy: none goes back to the pool that the next one could not use."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.ids import new_id
from shared.ports import WorldError
from shared.store.connection import POOL_MAX_CONNECTIONS, Connection, by_whose_fault, connect
from shared.store.driver import Statement, driving, transacting
from tests.integration.auditor import Auditor
from tests.integration.servers import Servers

THESE = Statement(text("SELECT unnest(CAST(:ids AS uuid[])) AS id"))
ONE = Statement(text("SELECT :number + 1 AS more, CAST(:number AS integer) AS same"))
RECEIVED = Statement(text("INSERT INTO inbox (event_id, type) VALUES (:event_id, 'order.placed.v1')"))
SLEEP = Statement(text("SELECT pg_sleep(:seconds)"))


@pytest.fixture
async def engine(servers: Servers) -> AsyncIterator[AsyncEngine]:
    engine = connect(servers.database_url("order_service"), "test driver")
    yield engine
    await engine.dispose()


async def use_every_connection(engine: AsyncEngine) -> None:
    """Begin and end a transaction on as many connections at once as the pool has."""

    async def use() -> None:
        async with transacting(engine) as driver:
            (row,) = await ONE.rows(driver, number=1)
            assert (row["more"], row["same"]) == (2, 1)

    await asyncio.gather(*(use() for _ in range(POOL_MAX_CONNECTIONS)))


async def test_what_a_type_is_made_of_is_asked_once(engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second connection knows it from the first."""
    asked = list[object]()
    ask = asyncpg.Connection._introspect_types

    async def counted(connection: asyncpg.Connection, types: object, within_s: object) -> object:
        asked.append(types)
        return await ask(connection, types, within_s)

    monkeypatch.setattr(Connection, "_told", {})
    monkeypatch.setattr(asyncpg.Connection, "_introspect_types", counted)
    ids = [new_id(), new_id()]
    async with transacting(engine) as one:
        assert [row["id"] for row in await THESE.rows(one, ids=ids)] == ids
        assert len(asked) == 1
        async with transacting(engine) as other:
            assert [row["id"] for row in await THESE.rows(other, ids=ids)] == ids
    assert len(asked) == 1


async def test_a_transaction_that_was_not_ended(engine: AsyncEngine) -> None:
    """A connection whose rollback did not come through is thrown away, not handed to the next one."""

    async def fail() -> None:
        async with driving(engine) as driver:
            await driver.execute("BEGIN")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await use_every_connection(engine)


@pytest.mark.parametrize("in_transaction", [True, False])
async def test_a_connection_that_the_server_ended(engine: AsyncEngine, auditor: Auditor, in_transaction: bool) -> None:
    """A session that an administrator or a restart ended is the world's fault, and the next one gets another."""

    async def be_ended() -> None:
        with by_whose_fault():
            async with transacting(engine) if in_transaction else driving(engine) as driver:
                await auditor.rows("SELECT pg_terminate_backend($1)", driver.get_server_pid())
                await SLEEP.rows(driver, seconds=10.0)

    with pytest.raises(WorldError):
        await be_ended()
    await use_every_connection(engine)


async def test_a_statement_that_is_cancelled(engine: AsyncEngine) -> None:
    """Whoever is cancelled while a statement runs leaves a connection that can be used, or none."""
    await use_every_connection(engine)
    waiting = [asyncio.create_task(sleep(engine)) for _ in range(POOL_MAX_CONNECTIONS)]
    await asyncio.wait(waiting, timeout=0.3)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await use_every_connection(engine)


async def test_a_statement_out_of_time(engine: AsyncEngine) -> None:
    """The server's own limit ends a statement: the world's fault, on a connection that stays."""
    with pytest.raises(WorldError, match="statement timeout"):
        await sleep(engine, limit_ms=50)
    await use_every_connection(engine)


async def sleep(engine: AsyncEngine, limit_ms: int = 10_000) -> None:
    """Keep a connection busy in a transaction for longer than any test waits."""
    with by_whose_fault():
        async with transacting(engine) as driver:
            await driver.execute(f"SET LOCAL statement_timeout = {limit_ms}")
            await SLEEP.rows(driver, seconds=30.0)


async def test_what_is_committed_is_there_whatever_became_of_a_begin(engine: AsyncEngine, auditor: Auditor) -> None:
    """A BEGIN whose end nobody waited for is no transaction of the next one: what that one commits, others see."""
    committed = [new_id() for _ in range(60)]
    for number, event_id in enumerate(committed):
        cancelled = asyncio.create_task(receive(engine, new_id()))
        for _ in range(number % 6):  # somewhere on the way to the BEGIN, in it, or right after it
            await asyncio.sleep(0)
        await asyncio.wait([cancelled], timeout=0.0001 * (number % 5))
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        await receive(engine, event_id)
    rows = await auditor.rows("SELECT event_id FROM order_service.inbox")
    assert set(committed) <= {row["event_id"] for row in rows}


async def receive(engine: AsyncEngine, event_id: UUID) -> None:
    """Commit a row."""
    async with transacting(engine) as driver:
        await RECEIVED.run(driver, event_id=event_id)


async def test_a_transaction_that_failed_and_went_on(engine: AsyncEngine) -> None:
    """The server answers the COMMIT of a failed transaction with a ROLLBACK, and no error: that is not a commit."""

    async def go_on() -> None:
        async with transacting(engine) as driver:
            with suppress(asyncpg.PostgresError):
                await driver.execute("SELECT 1 / 0")

    with pytest.raises(WorldError, match="rolled back"):
        await go_on()
