"""A look at everything from outside: all schemas as the superuser, all queues as the topology's user."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import aio_pika
import asyncpg
import orjson
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from infra.native.postgres import SUPERUSER
from infra.ports import HOST, SERVICES
from infra.topology import TABLES
from shared.ids import stream_id
from shared.store.connection import Connection
from shared.topology import Binding, listening_to
from tests.integration.servers import PASSWORD, Servers, topology
from tests.waiting import DEADLINE_S, eventually

QUEUES = [queue.name for queue in topology().queues]
LISTENED_ON = [queue.name for queue in listening_to(TABLES).queues]
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, aio_pika.exceptions.AMQPError)


class Auditor:
    """Looks, and where a test asks for it moves the database's times, binds, unbinds, publishes and purges."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._database: asyncpg.Connection | None = None
        self._broker: AbstractConnection | None = None
        self._log_begins = len(servers.database_log())

    async def close(self) -> None:
        """Disconnect."""
        if self._database is not None:
            await self._database.close(timeout=DEADLINE_S)
        if self._broker is not None:
            await self._broker.close()

    async def rows(self, query: str, *arguments: object) -> Sequence[Any]:
        """Ask the database; connect again where it was restarted."""
        if self._database is None or self._database.is_closed():
            self._database = await self._connect()
        rows: Sequence[Any] = await self._database.fetch(query, *arguments)
        return rows

    async def value(self, query: str, *arguments: object) -> Any:
        """Ask the database for one value."""
        ((value,),) = await self.rows(query, *arguments)
        return value

    async def count(self, table: str, condition: str = "true", *arguments: object) -> int:
        """Count rows of a table, such as `order_service.outbox`."""
        number: int = await self.value(f"SELECT count(*) FROM {table} WHERE {condition}", *arguments)  # noqa: S608 - ours
        return number

    @asynccontextmanager
    async def held(self, statement: str, *arguments: object) -> AsyncIterator[None]:
        """Hold what a statement locks, until the end of the block or of the database; then it never happened."""
        connection = await self._connect()
        transaction = connection.transaction()
        try:
            await transaction.start()
            await connection.execute(statement, *arguments)
            yield
            if not connection.is_closed():
                await transaction.rollback()
        finally:
            await connection.close(timeout=DEADLINE_S)

    async def waiting(self, role: str, count: int = 1) -> None:
        """Wait until so many of a role's transactions wait for a lock."""

        async def look() -> None:
            assert await self.count("pg_stat_activity", "usename = $1 AND wait_event_type = 'Lock'", role) == count

        await eventually(look)

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=HOST,
            port=self._servers.database_port,
            user=SUPERUSER,
            password=PASSWORD,
            database="quartet",
            timeout=DEADLINE_S,
            connection_class=Connection,
        )

    def deadlocks(self) -> int:
        """Count the deadlocks that the database had to end during this test, by its log."""
        return self._servers.database_log()[self._log_begins :].count(b"deadlock detected")

    async def channel(self) -> AbstractChannel:
        """Open a channel as the topology's user; connect again where the broker was restarted."""
        if self._broker is not None:
            try:
                return await self._broker.channel(on_return_raises=True)
            except (RuntimeError, aio_pika.exceptions.AMQPError):
                await self._broker.close()
        self._broker = await aio_pika.connect(self._servers.broker_url("topology"), timeout=DEADLINE_S)
        return await self._broker.channel(on_return_raises=True)

    async def depths(self, queues: Sequence[str] = QUEUES) -> dict[str, int]:
        """Count the messages that lie in queues; those without any are left out."""
        async with await self.channel() as channel:
            found = {name: await channel.declare_queue(name, passive=True) for name in queues}
        counts = {name: queue.declaration_result.message_count or 0 for name, queue in found.items()}
        return {name: count for name, count in counts.items() if count}

    async def publish(self, exchange: str, routing_key: str, body: bytes, message_id: str = "") -> None:
        """Publish a message as a relay does: persistent, mandatory, confirmed."""
        async with await self.channel() as channel:
            target = await channel.get_exchange(exchange, ensure=False)
            message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT, message_id=message_id)
            await target.publish(message, routing_key, mandatory=True, timeout=DEADLINE_S)

    async def take(self, queue: str, deadline_s: float = DEADLINE_S) -> AbstractIncomingMessage:
        """Take one message out of a queue, once there is one."""

        async def look() -> AbstractIncomingMessage:
            async with await self.channel() as channel:
                lane = await channel.get_queue(queue, ensure=False)
                message = await lane.get(no_ack=True, fail=False)
            assert message is not None, f"nothing in {queue}"
            return message

        return await eventually(look, deadline_s)

    @asynccontextmanager
    async def overheard(self, *exchanges: str) -> AsyncIterator[Callable[[], Awaitable[int]]]:
        """Copy all that is published to fanout exchanges from now on; gives a count of it."""
        async with await self.channel() as channel:
            queue = await channel.declare_queue(exclusive=True)
            for exchange in exchanges:
                await queue.bind(exchange)

            async def count() -> int:
                return (await channel.declare_queue(queue.name, passive=True)).declaration_result.message_count or 0

            yield count
            await queue.delete(if_empty=False)

    async def bind(self, binding: Binding) -> None:
        """Make a binding."""
        async with await self.channel() as channel:
            queue = await channel.get_queue(binding.queue, ensure=False)
            await queue.bind(binding.exchange, binding.routing_key)

    async def unbind(self, binding: Binding) -> None:
        """Remove a binding."""
        async with await self.channel() as channel:
            queue = await channel.get_queue(binding.queue, ensure=False)
            await queue.unbind(binding.exchange, binding.routing_key)

    async def delete(self, queue: str) -> None:
        """Delete a queue with all that is in it."""
        async with await self.channel() as channel:
            await channel.queue_delete(queue)

    async def delete_exchange(self, exchange: str) -> None:
        """Delete an exchange with all that is bound to it."""
        async with await self.channel() as channel:
            await channel.exchange_delete(exchange)

    async def wipe(self) -> None:
        """Empty every table and every queue: the next test begins with nothing.

        What is empty is left alone: to look costs both servers a fraction of what emptying does. A TRUNCATE makes new
        files for every table and index, which takes ten times as long as to delete the few rows of a test.
        """
        tables = await self.rows(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables"
            " WHERE schemaname LIKE '%\\_service' AND tablename <> 'alembic_version'"
        )
        looks = [f"SELECT '{row['name']}' AS name WHERE EXISTS (SELECT FROM {row['name']})" for row in tables]  # noqa: S608 - ours
        if used := await self.rows(" UNION ALL ".join(looks)):
            for row in used:
                await self.rows(f"DELETE FROM {row['name']}")  # noqa: S608 - ours
        await self.purge(*await self.depths([*QUEUES, *LISTENED_ON]))

    async def purge(self, *queues: str) -> None:
        """Empty queues."""
        if queues:
            async with await self.channel() as channel:
                for name in queues:
                    await (await channel.get_queue(name, ensure=False)).purge()

    async def receive(self, sku: str, quantity: int) -> None:
        """Put goods on the shelf that inventory has never heard of, with the receipt in its log."""
        await self.rows("INSERT INTO inventory_service.stock VALUES ($1, 1, 1, $2, $2, 0, 0)", sku, quantity)
        receipt = {"receipt_id": str(uuid4()), "sku": sku, "quantity": quantity}
        await self.rows(
            "INSERT INTO inventory_service.events"
            " (event_id, stream_id, version, type, payload, correlation_id, causation_id, occurred_at)"
            " VALUES ($1, $2, 1, 'stock.received.v1', $3, $2, $1, now())",
            *(uuid4(), stream_id("stock", sku), orjson.dumps(receipt).decode()),
        )

    async def let_grace_pass(self, service: str) -> None:
        """Move the outbox's times, as if the writers' grace were over."""
        await self.rows(f"UPDATE {service}_service.outbox SET available_at = now()")  # noqa: S608 - ours

    async def let_leases_pass(self, service: str) -> None:
        """Move the intents' times, as if every lease were over and everything leased were due."""
        await self.rows(f"UPDATE {service}_service.intents SET leased_until = now() WHERE leased_until IS NOT NULL")  # noqa: S608 - ours

    async def let_deadlines_pass(self) -> None:
        """Move the deadlines of all orders, as if each had waited long enough."""
        await self.rows("UPDATE order_service.intents SET due_at = now()")

    async def quiescent(self, *, dead: int = 0, deadline_s: float = DEADLINE_S) -> None:
        """Wait until nothing is under way: outboxes, intents and queues empty, every event where it belongs.

        `dead` is how many dead letters are kept.
        """

        async def look() -> None:
            try:
                assert await self.unfinished() == {}
                depths = await self.depths()
            except AWAY as error:
                raise AssertionError(f"a server does not answer: {error}") from error
            assert depths == {}
            assert await self.letters() == dead

        await eventually(look, deadline_s)

    async def letters(self) -> int:
        """Count the dead letters that are kept."""
        counts = [await self.count(f"{service}_service.dead_letters") for service in SERVICES]
        return sum(counts)

    async def done(self, service: str) -> None:
        """Wait until one service, played alone, has nothing left to do, in its queues and in its tables."""
        own = [name for name in QUEUES if name.startswith(f"{service}.")]

        async def look() -> None:
            assert await self.depths(own) == {}
            for table in ("outbox", "intents"):
                assert await self.count(f"{service}_service.{table}") == 0

        await eventually(look)

    async def unfinished(self) -> dict[str, int]:
        """Count what is not done yet, by what it is; what is done is left out.

        An event counts until it is in the inbox of everybody who reacts to it: a message that was delivered and not
        acked lies in no queue.
        """
        tables = [(service, table) for service in SERVICES for table in ("outbox", "intents")]
        parts = [f"SELECT '{s}.{t}' AS what, count(*) FROM {s}_service.{t}" for s, t in tables]  # noqa: S608 - ours
        for table in TABLES:
            for event in table.consumed:
                parts.append(  # noqa: PERF401 - one statement each reads better
                    f"SELECT '{table.service}.{event.kind.name}', count(*) FROM {event.kind.owner}_service.events AS e"  # noqa: S608 - ours
                    f" WHERE e.type = '{event.kind.type}' AND NOT EXISTS ("
                    f"SELECT FROM {table.service}_service.inbox AS i WHERE i.event_id = e.event_id)"
                )
        rows = await self.rows(" UNION ALL ".join(parts))
        return {row["what"]: row["count"] for row in rows if row["count"]}

    async def order(self, order_id: UUID | str) -> dict[str, Any]:
        """Read an order's row."""
        (row,) = await self.rows("SELECT * FROM order_service.orders WHERE order_id = $1", UUID(str(order_id)))
        return {**row, "lines": orjson.loads(row["lines"])}
