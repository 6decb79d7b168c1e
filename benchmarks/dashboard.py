"""`make bench-dashboard`: how long the dashboard's pages take where the logs hold a million events.

A private PostgreSQL is filled with orders that were bought and cancelled, 13 events each, one in a hundred of them
stuck, and each page is asked for in turn, round by round. No service answers, so what is measured is the
picture: database, stories and templates, without the network.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
import httpx
import typer
from asgi_lifespan import LifespanManager
from loguru import logger
from rich.console import Console
from rich.table import Table

from infra.credentials import DATABASE_ROLES, role_variable
from infra.native.once import migration
from infra.native.postgres import Postgres
from infra.native.running import free_ports, running, scratch
from infra.ports import HOST, SERVICES
from services.dashboard.app import create_app
from services.dashboard.settings import DashboardSettings

EVENTS_PER_ORDER = 13
ORDERS_PER_INSERT_MAX = 5_000
PASSWORD = "benchmark"  # noqa: S105 - of a server that is gone a minute later
START_TIMEOUT_S = 60.0

EVENTS = """
INSERT INTO events (event_id, order_id, service, name, type, stream_id, version, causation_id, occurred_at, public,
                    data)
SELECT md5('event ' || o || ' ' || k)::uuid, md5('order ' || o)::uuid, service, name, name || '.v1',
       md5('order ' || o)::uuid, version, md5('event ' || o || ' ' || cause)::uuid,
       now() - make_interval(secs => ($2::int - o) * 0.5) + make_interval(secs => k * 0.004), true,
       '{"customer_id": "ann", "reason": "customer_request"}'
FROM generate_series($1::int, $2::int) AS o, (VALUES
    (1, 'order', 'order.placed', 1, 0), (2, 'payment', 'payment.amount_learned', 1, 1),
    (3, 'inventory', 'stock.reserved', 1, 1), (4, 'payment', 'payment.charge_intended', 2, 3),
    (5, 'payment', 'payment.captured', 3, 0), (6, 'order', 'order.confirmed', 2, 5),
    (7, 'inventory', 'stock.committed', 2, 6), (8, 'notification', 'notification.recorded', 1, 6),
    (9, 'order', 'order.stock_book_closed', 3, 7), (10, 'notification', 'notification.sent', 2, 0),
    (11, 'order', 'order.cancelled', 4, 0), (12, 'inventory', 'stock.released', 3, 11),
    (13, 'payment', 'payment.undo_intended', 4, 11)) AS e (k, service, name, version, cause)
"""
"""Of orders from number $1 to number $2, two of which were placed each second."""
ORDERS = """
INSERT INTO orders (order_id, status, settled, customer_id, placed_at, last_event, last_at, events, waiting_for,
                    waiting_kind, waiting_since, asked_at)
SELECT order_id, (ARRAY['running', 'completed', 'compensating', 'compensated'])[1 + abs(hashtext(order_id::text)) % 4],
       true, 'customer-' || abs(hashtext(order_id::text)) % 5000, min(occurred_at), 'payment.undo_intended',
       max(occurred_at), count(*), CASE WHEN stuck THEN 'payment.undo' END, CASE WHEN stuck THEN 'intent' END,
       CASE WHEN stuck THEN min(occurred_at) END, now()
FROM events, LATERAL (SELECT abs(hashtext(order_id::text)) % 100 = 0 AS stuck) AS one_in_a_hundred
GROUP BY order_id, stuck
"""
WAITS = """
INSERT INTO waits (order_id, event_id, service, name, since)
SELECT order_id, event_id, 'payment', name, occurred_at FROM events JOIN orders USING (order_id)
WHERE waiting_for IS NOT NULL AND name IN ('order.placed', 'stock.reserved')
"""


class Nobody(httpx.AsyncBaseTransport):
    """A network on which no service answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse.

        Raises:
            httpx.ConnectError: always.
        """
        raise httpx.ConnectError("nobody listens", request=request)


def main(
    events: Annotated[int, typer.Option(help="How many the logs hold.", min=EVENTS_PER_ORDER)] = 1_000_000,
    rounds: Annotated[int, typer.Option(help="How often each page is asked for.", min=1)] = 15,
) -> None:
    """Fill, ask, and show how long each page took."""
    logger.remove()
    logger.add(sys.stderr, level="ERROR")
    asyncio.run(_measure(-(-events // EVENTS_PER_ORDER), rounds))


async def _measure(orders: int, rounds: int) -> None:
    async with _database() as (url, connection):
        held = await _fill(connection, orders)
        some = await connection.fetchval("SELECT order_id FROM orders WHERE waiting_for IS NOT NULL LIMIT 1")
        pages = ("/", "/orders", "/orders?state=stuck", "/orders?state=compensated", "/orders?q=customer-77", "/stuck",
                 f"/orders/{some}", "/api/stage", "/api/orders")  # fmt: skip
        _show(held, await _asked(url, pages, rounds))


@asynccontextmanager
async def _database() -> AsyncIterator[tuple[str, asyncpg.Connection]]:
    (port,) = free_ports(1)
    with scratch() as directory:
        server = Postgres(directory / "postgres", port, PASSWORD)
        async with running(server) as host:
            await host.run(server.roles({role_variable(role): PASSWORD for role in DATABASE_ROLES}))
            await host.run(migration("dashboard", server.url("dashboard_migrator", PASSWORD)))
            connection = await asyncpg.connect(server.url("postgres", PASSWORD))
            await connection.execute("SET search_path = dashboard_service; SET synchronous_commit = off")
            yield server.url("dashboard_service", PASSWORD), connection
            await connection.close()


async def _fill(connection: asyncpg.Connection, orders: int) -> int:
    for first in range(1, orders + 1, ORDERS_PER_INSERT_MAX):
        await connection.execute(EVENTS, first, min(first + ORDERS_PER_INSERT_MAX - 1, orders))
    await connection.execute(ORDERS)
    await connection.execute(WAITS)
    await connection.execute("VACUUM ANALYZE events")
    await connection.execute("VACUUM ANALYZE orders")
    held: int = await connection.fetchval("SELECT count(*) FROM events")
    return held


async def _asked(url: str, pages: tuple[str, ...], rounds: int) -> Mapping[str, list[float]]:
    """Ask for every page in every round; give the milliseconds of each."""
    settings: dict[str, Any] = {f"{name}_url": f"http://{name}" for name in SERVICES}
    app = create_app(DashboardSettings(database_url=url, operator_key=PASSWORD, **settings), Nobody())
    took: dict[str, list[float]] = {page: [] for page in pages}
    async with (
        LifespanManager(app, START_TIMEOUT_S, START_TIMEOUT_S),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{HOST}", trust_env=False) as http,
    ):
        for _ in range(rounds):
            for page, times in took.items():
                began_s = time.perf_counter()
                answer = await http.get(page)
                times.append((time.perf_counter() - began_s) * 1000)
                answer.raise_for_status()
    return took


def _show(events: int, took: Mapping[str, list[float]]) -> None:
    table = Table("page", "median ms", "lowest", "highest", title=f"{events:,} events")
    for page, times in took.items():
        table.add_row(page, *(f"{value:.1f}" for value in (statistics.median(times), min(times), max(times))))
    Console(highlight=False).print(table)


if __name__ == "__main__":
    typer.run(main)
