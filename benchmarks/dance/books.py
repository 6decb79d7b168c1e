"""Holding stock and money against the orders: a number counts only if everything adds up."""

import asyncio
from collections.abc import Mapping

import asyncpg

from benchmarks.dance.players import Quartet
from benchmarks.dance.servers import PLENTY, Servers

QUIET_TIMEOUT_S = 20.0
"""An order is settled before its mail is recorded: so long that may take in the end."""
LOOK_AGAIN_S = 0.2

UNSETTLED = "SELECT count(*) FROM order_service.orders WHERE NOT settled OR status <> 'confirmed'"
STOCK = """
    SELECT count(*) FROM inventory_service.stock LEFT JOIN (
        SELECT line->>'sku' AS sku, sum((line->>'quantity')::bigint) AS bought
        FROM order_service.orders, jsonb_array_elements(lines) AS line GROUP BY 1) AS orders USING (sku)
    WHERE reserved <> 0 OR sold <> coalesce(bought, 0) OR available <> $1 - coalesce(bought, 0)
"""
AMOUNTS = "SELECT order_id::text, amount FROM order_service.orders WHERE order_id::text = ANY($1)"
UNTOLD = """
    SELECT count(*) FROM order_service.orders AS o
    WHERE NOT EXISTS (SELECT FROM notification_service.correspondence AS c WHERE c.order_id = o.order_id)
"""


class DoesNotAddUpError(Exception):
    """Something was lost, or happened twice: there is no number to report."""


async def check(servers: Servers, quartet: Quartet, placed: int) -> None:
    """Hold all orders so far against stock and mails, and the `placed` ones against this quartet's provider.

    Raises:
        DoesNotAddUpError: they do not agree.
    """
    connection = await servers.connect()
    try:
        captured = (await quartet.players["payment"].tell("books"))["captured"]
        await add_up(connection, captured, placed)
    finally:
        await connection.close()


async def add_up(connection: asyncpg.Connection, captured: Mapping[str, int], placed: int) -> None:
    """Hold all orders against stock and mails, and the `placed` ones against the amounts captured, by order.

    Raises:
        DoesNotAddUpError: they do not agree.
    """
    await _check_shop(connection)
    amounts = dict(await connection.fetch(AMOUNTS, list(captured)))
    if len(captured) != placed:
        raise DoesNotAddUpError(f"{placed} orders were placed and {len(captured)} charged")
    if wrong := [order_id for order_id, amount in captured.items() if amounts.get(order_id) != amount]:
        raise DoesNotAddUpError(f"{len(wrong)} charges are of no order's amount, such as {wrong[0]}")


async def _check_shop(connection: asyncpg.Connection) -> None:
    wrong = ""
    try:
        async with asyncio.timeout(QUIET_TIMEOUT_S):
            while wrong := await _wrong(connection):  # noqa: ASYNC110 - nobody tells when a table is as it should be
                await asyncio.sleep(LOOK_AGAIN_S)
    except TimeoutError:
        raise DoesNotAddUpError(wrong) from None


async def _wrong(connection: asyncpg.Connection) -> str:
    for what, query, arguments in (
        ("orders are not settled", UNSETTLED, ()),
        ("SKUs do not add up", STOCK, (PLENTY,)),
        ("customers were told nothing", UNTOLD, ()),
    ):
        if count := await connection.fetchval(query, *arguments):
            return f"{count} {what}"
    return ""
