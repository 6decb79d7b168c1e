"""The books of an evening: what four schemas, the provider's ledger and the mailboxes must agree on at the end."""

from collections import Counter

from infra.ports import SERVICES
from tests.integration.auditor import Auditor
from tests.integration.outside import Money, Outside
from tests.integration.stage import Stage
from tests.integration.waiting import eventually

GAPS = """
    SELECT stream_id FROM {service}_service.events
    GROUP BY stream_id HAVING min(version) <> 1 OR max(version) <> count(*)
"""
LAST_VERSIONS = """
    SELECT a.order_id FROM {table} AS a
    WHERE a.version IS DISTINCT FROM (
        SELECT max(version) FROM {service}_service.events AS e WHERE e.stream_id = a.order_id)
"""
AGGREGATES = {
    "order": "order_service.orders",
    "inventory": "inventory_service.reservations",
    "payment": "payment_service.payments",
    "notification": "notification_service.correspondence",
}
CLOSINGS = """
    SELECT o.order_id, o.status,
        (SELECT count(*) FROM inventory_service.events AS e
         WHERE e.correlation_id = o.order_id AND e.type = 'stock.released.v1') AS released,
        (SELECT count(*) FROM payment_service.events AS e
         WHERE e.correlation_id = o.order_id AND e.type IN ('payment.voided.v1', 'payment.refunded.v1')) AS undone
    FROM order_service.orders AS o
"""


async def agree(stage: Stage, *, dead: int = 0) -> None:
    """Wait until nothing is under way any more, and insist that everything adds up."""
    auditor = stage.auditor
    await auditor.quiescent(dead=dead)
    await logs_have_no_gap(auditor)
    await cancellations_are_closed_once(auditor)
    await stock_adds_up(auditor)
    await money_adds_up(auditor, stage.outside, stage.ledger_after)


async def logs_have_no_gap(auditor: Auditor) -> None:
    """Every stream's versions run from 1 without a gap, up to the version of its aggregate."""
    for service in SERVICES:
        assert await auditor.rows(GAPS.format(service=service)) == []
        assert await auditor.rows(LAST_VERSIONS.format(service=service, table=AGGREGATES[service])) == []


async def cancellations_are_closed_once(auditor: Auditor) -> None:
    """Inventory and payment answered every cancellation with one closing event, and nothing else with any."""
    for row in await auditor.rows(CLOSINGS):
        closed = int(row["status"] == "cancelled")
        assert (row["released"], row["undone"]) == (closed, closed), row
    assert await auditor.count("order_service.orders", "NOT settled") == 0


async def stock_adds_up(auditor: Auditor) -> None:
    """Nothing is held, and what is sold is what confirmed orders are made of."""
    sold: Counter[str] = Counter()
    for row in await auditor.rows(
        "SELECT line->>'sku' AS sku, (line->>'quantity')::int AS quantity"
        " FROM order_service.orders, jsonb_array_elements(lines) AS line WHERE status = 'confirmed'"
    ):
        sold[row["sku"]] += row["quantity"]
    for row in await auditor.rows("SELECT * FROM inventory_service.stock"):
        assert row["received"] == row["available"] + row["reserved"] + row["sold"]
        assert (row["reserved"], row["sold"]) == (0, sold.pop(row["sku"], 0)), row
    assert not sold


async def money_adds_up(auditor: Auditor, outside: Outside, ledger_after: int) -> None:
    """The provider kept each confirmed order's total, and of every other order nothing at all."""
    ledger = await outside.money(ledger_after)
    for row in await auditor.rows("SELECT order_id, status, amount FROM order_service.orders"):
        money = ledger.pop(str(row["order_id"]), Money())
        kept = row["amount"] if row["status"] == "confirmed" else 0
        assert money.captured - money.refunded == kept, (row, money)
    assert not ledger, "the provider was asked for money of an order that does not exist"


async def mails_are(outside: Outside, email: str, *subjects: str) -> None:
    """Insist that an address got these mails, in this order, each of them once."""

    async def look() -> None:
        assert await outside.mails(email) == list(subjects)

    await eventually(look)
