"""The floor of this machine: what the disk, the database and the broker could do at best, asked in the same run.

No service, no reaction, no ORM: the kit's own statements over bare asyncpg with rows made beforehand, and confirmed
publishes of messages of the same size.
"""

import asyncio
import os
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import asyncpg
import orjson

from benchmarks.dance.hops import Hops
from benchmarks.dance.servers import Servers
from shared.ids import new_id, plain_id
from shared.store import statements as sql
from shared.store.connection import PLANS
from shared.store.migrations import KIT_0001, KIT_0004, KIT_0005

REACTIONS_PER_ORDER = 10
"""Placed, reserved, amount and stock learned, charged, confirmed, sold, mail recorded and sent, settled."""
HOPS_PER_ORDER = 5
"""Deliveries that wait for each other: placed, reserved, captured, confirmed, committed."""
TRANSACTIONS_ON_THE_WAY = 7
"""Commits that wait for each other: place, reserve, intend, charge, confirm, sell, settle."""

FSYNCS = 300
PAGE_BYTES = 8192
BATCH_EVENTS = 500
BATCHES_PER_1000_ORDERS = 1
SINGLES = 200
CONNECTIONS = 4
"""As many as there are services."""

DATABASE = "floor"
AGGREGATE = (
    """CREATE TABLE things (thing_id uuid PRIMARY KEY, version bigint NOT NULL, status text NOT NULL, lines jsonb)"""
)
SAVE = """
    INSERT INTO things SELECT * FROM json_to_recordset($1) AS r(thing_id uuid, version bigint, status text, lines jsonb)
    ORDER BY thing_id
"""


@dataclass(frozen=True, slots=True)
class Floor:
    """What was measured. Times are medians."""

    fsync_ms: float
    transaction_ms: float
    """One event in a transaction of its own."""
    hop_ms: float
    """From a publish to its delivery, one at a time."""
    events_per_s: float
    """In transactions of `BATCH_EVENTS`, over `CONNECTIONS` connections."""
    messages_per_s: float
    """Confirmed, many in flight."""

    @property
    def orders_per_s(self) -> float:
        """As many as the transactions alone would allow."""
        return self.events_per_s / REACTIONS_PER_ORDER

    @property
    def idle_ms(self) -> float:
        """What an order takes that meets nobody: its own transactions and hops, one after the other."""
        return TRANSACTIONS_ON_THE_WAY * self.transaction_ms + HOPS_PER_ORDER * self.hop_ms


async def floor_of(servers: Servers, orders: int) -> Floor:
    """Measure, many at once with about as much as `orders` come to."""
    fsync_ms = await asyncio.to_thread(_fsync_ms, servers.postgres.directory.parent / "fsync")
    async with Hops(servers) as hops:
        hop_ms, messages_per_s = await hops.alone_ms(), await hops.together_per_s(orders)
    administrator = await servers.connect()
    await administrator.execute(f"CREATE DATABASE {DATABASE}")
    connections = [await _connect(servers, create=number == 0) for number in range(CONNECTIONS)]
    try:
        transaction_ms = await _alone_ms(connections[0])
        events_per_s = await _together_per_s(connections, orders)
    finally:
        for connection in connections:
            await connection.close()
        await administrator.execute(f"DROP DATABASE {DATABASE}")
        await administrator.close()
    return Floor(fsync_ms, transaction_ms, hop_ms, events_per_s, messages_per_s)


async def _connect(servers: Servers, *, create: bool) -> asyncpg.Connection:
    connection = await servers.connect(DATABASE)
    if create:
        for tables in (KIT_0001, KIT_0004, KIT_0005):
            await connection.execute(tables.read_text().replace("{role}", "postgres"))
        await connection.execute(AGGREGATE)
    for name, value in PLANS.items():
        await connection.execute(f"SET {name} = {value}")
    return connection


async def _alone_ms(connection: asyncpg.Connection) -> float:
    times_ms = []
    for _ in range(SINGLES):
        rows = Rows(1)
        began_s = time.perf_counter()
        await rows.commit(connection)
        times_ms.append((time.perf_counter() - began_s) * 1000)
    return median(times_ms)


async def _together_per_s(connections: list[asyncpg.Connection], orders: int) -> float:
    async def commit_all(connection: asyncpg.Connection, lots: list["Rows"]) -> None:
        for rows in lots:
            await rows.commit(connection)

    batches = max(orders * BATCHES_PER_1000_ORDERS // 1000, 1)
    lots = [[Rows(BATCH_EVENTS) for _ in range(batches)] for _ in connections]
    began_s = time.perf_counter()
    await asyncio.gather(*map(commit_all, connections, lots))
    return len(connections) * batches * BATCH_EVENTS / (time.perf_counter() - began_s)


class Rows:
    """What one transaction of the dance writes, made beforehand."""

    def __init__(self, events: int) -> None:
        ids = sorted(new_id() for _ in range(events))
        lines = [{"sku": "sku-01", "quantity": 1}]
        self._event_ids = ids
        self._generations = [0] * events
        self._inbox = _json([{"event_id": event_id, "type": "stock.reserved.v1"} for event_id in ids])
        self._things = _json([{"thing_id": one, "version": 1, "status": "held", "lines": lines} for one in ids])
        self._events = _json(
            [
                {
                    "event_id": event_id,
                    "stream_id": event_id,
                    "version": 1,
                    "type": "stock.reserved.v1",
                    "payload": {"order_id": event_id, "lines": lines},
                    "correlation_id": event_id,
                    "causation_id": event_id,
                    "occurred_at": "2026-01-01T00:00:00Z",
                    "public": True,
                    "attempts": 1,
                }
                for event_id in ids
            ]
        )

    async def commit(self, connection: asyncpg.Connection) -> None:
        """Receive, load, save, log, post, and forget what the broker would have confirmed."""
        async with connection.transaction():
            await connection.fetchrow(sql.RECEIVE.sql, self._inbox)
            await connection.fetch("SELECT * FROM things WHERE thing_id = ANY($1) FOR UPDATE", self._event_ids)
            await connection.execute(SAVE, self._things)
            await connection.execute(sql.LOG.sql, self._events, 10.0)
            await connection.execute(sql.DELETE_CONFIRMED.sql, self._event_ids, self._generations)


def _json(rows: list[dict[str, object]]) -> str:
    return orjson.dumps(rows, default=plain_id).decode()


def _fsync_ms(path: Path) -> float:
    page, times_ms = os.urandom(PAGE_BYTES), []
    with path.open("wb", buffering=0) as file:
        for _ in range(FSYNCS):
            began_s = time.perf_counter()
            file.write(page)
            os.fdatasync(file.fileno())
            times_ms.append((time.perf_counter() - began_s) * 1000)
    path.unlink()
    return median(times_ms)
