"""What must hold once nothing is under way any more, whatever was broken before."""

from typing import Protocol

import httpx

from infra.ports import HOST, PROVIDER, SERVICES
from scripts.chaos.database import Database
from scripts.chaos.load import Load

LINES_PER_PAGE = 1_000
PAGES_MAX = 1_000
HTTP_TIMEOUT_S = 30.0
NAMED_MAX = 3
"""So many of those that break a rule are named."""


class Auditor(Protocol):
    """Looks at everything that is kept."""

    async def run(self) -> list[str]:
        """Name every violation, one line each; nothing if all is as it must be."""


ORDERS = "SELECT order_id FROM order_service.orders WHERE order_id = ANY($1::uuid[])"
ORDERS_OF = "SELECT order_id FROM order_service.orders WHERE customer_id = $1"

RULES = {
    "an event's version is missing in its stream": " UNION ALL ".join(
        f"SELECT stream_id::text FROM {service}_service.events"  # noqa: S608 - ours
        " GROUP BY stream_id HAVING min(version) <> 1 OR max(version) <> count(*)"
        for service in SERVICES
    ),
    "a cancellation was not answered by exactly one closing event of inventory and of payment": """
        SELECT order_id::text FROM order_service.orders LEFT JOIN (
            SELECT correlation_id AS order_id, count(*) AS closings FROM inventory_service.events
            WHERE type = 'stock.released.v1' GROUP BY 1
        ) AS stock USING (order_id) LEFT JOIN (
            SELECT correlation_id AS order_id, count(*) AS closings FROM payment_service.events
            WHERE type IN ('payment.voided.v1', 'payment.refunded.v1') GROUP BY 1
        ) AS money USING (order_id)
        WHERE coalesce(stock.closings, 0) <> (status = 'cancelled')::int
           OR coalesce(money.closings, 0) <> (status = 'cancelled')::int
    """,
    "an order is not settled": "SELECT order_id::text FROM order_service.orders WHERE NOT settled",
    "stock is reserved, or what is sold is not what confirmed orders are made of": """
        SELECT sku FROM inventory_service.stock FULL JOIN (
            SELECT line->>'sku' AS sku, sum((line->>'quantity')::int) AS quantity
            FROM order_service.orders, jsonb_array_elements(lines) AS line WHERE status = 'confirmed' GROUP BY 1
        ) AS ordered USING (sku)
        WHERE reserved IS DISTINCT FROM 0 OR sold IS DISTINCT FROM coalesce(quantity, 0)
    """,
    "a confirmed order's stock is not committed, or a cancelled order's is held": """
        SELECT o.order_id::text FROM order_service.orders AS o LEFT JOIN inventory_service.reservations AS r
        USING (order_id) WHERE (o.status = 'confirmed') <> (coalesce(r.status, 'none') = 'committed')
            OR r.status = 'held'
    """,
    "an order's customer was sent the wrong mails": """
        SELECT o.order_id::text FROM order_service.orders AS o LEFT JOIN notification_service.correspondence AS c
        USING (order_id) WHERE coalesce(CASE o.status WHEN 'confirmed' THEN c.confirmed ELSE c.cancelled END, 'none')
            NOT IN ('sent', 'undeliverable')
    """,
}
"""By what is wrong: a query for those with which it is."""


async def broken_promises(database: Database, load: Load) -> list[str]:
    """Hold what customers were told against the orders that are there: none is lost, and none is there twice.

    Raises:
        OSError, TimeoutError, PostgresError, InterfaceError: the orders cannot be read.
    """
    there = {str(row[0]) for row in await database.rows(ORDERS, load.placed)}
    own = {str(row[0]) for row in await database.rows(ORDERS_OF, load.customer)}
    found = []
    if lost := sorted(set(load.placed) - there):
        found.append(_line("an order that was answered 201 is not there", lost))
    if len(untold := sorted(own - set(load.placed))) > load.lost:
        found.append(_line(f"more orders than the {load.lost} without an answer are there untold", untold))
    return found


class Books:
    """The four schemas, and the provider's own ledger line by line."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self) -> list[str]:
        """Name every violation, one line each.

        Raises:
            OSError, TimeoutError, PostgresError, HTTPError: the books cannot be read.
        """
        found = []
        for rule, query in RULES.items():
            if broken := [str(row[0]) for row in await self._database.rows(query)]:
                found.append(_line(rule, broken))
        return found + await self._money()

    async def _money(self) -> list[str]:
        kept = await _kept()
        rows = await self._database.rows("SELECT order_id::text, status, amount FROM order_service.orders")
        must = {row["order_id"]: row["amount"] if row["status"] == "confirmed" else 0 for row in rows}
        wrong = [key for key in must if kept.get(key, 0) != must[key]]
        found = [_line("the provider kept another amount than it must", wrong)] if wrong else []
        if strange := kept.keys() - must.keys():
            found.append(_line("the provider knows a key that is no order's", sorted(strange)))
        return found


async def _kept() -> dict[str, int]:
    """Add up what the provider has kept by key, in minor units."""
    kept: dict[str, int] = {}
    async with httpx.AsyncClient(base_url=f"http://{HOST}:{PROVIDER}", timeout=HTTP_TIMEOUT_S) as client:
        after = 0
        for _ in range(PAGES_MAX):
            told = await client.get("/v1/ledger", params={"after": after, "limit": LINES_PER_PAGE})
            page = told.raise_for_status().json()
            for line in page["lines"]:
                sign = {"captured": 1, "refunded": -1}.get(line["kind"], 0)
                kept[line["key"]] = kept.get(line["key"], 0) + sign * line["amount"]
            if page["next"] is None:
                return kept
            after = page["next"]
    raise httpx.TooManyRedirects(f"the ledger has more than {PAGES_MAX:,} pages")


def _line(rule: str, broken: list[str]) -> str:
    more = f" and {len(broken) - NAMED_MAX} more" if len(broken) > NAMED_MAX else ""
    return f"{rule}: {', '.join(broken[:NAMED_MAX])}{more}"
