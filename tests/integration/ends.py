"""The one right end of an order, wherever it is written down: in every service, at the provider, in the mailbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tests.integration.auditor import Auditor
from tests.integration.books import agree, mails_are
from tests.integration.stage import Stage
from tests.waiting import eventually


@dataclass(frozen=True, slots=True)
class End:
    """What an order came to; `ledger` is its lines of the provider's ledger, `mails` what its customer was told."""

    status: str
    reason: str | None
    reservation: str
    payment: str
    ledger: tuple[str, ...]
    mails: tuple[str, ...]


CONFIRMED = End("confirmed", None, "committed", "captured", ("captured",), ("confirmed",))


def cancelled(reason: str, payment: str, *ledger: str, confirmed: bool = False, reservation: str = "released") -> End:
    """Cancelled for a reason, before or after the customer was told that it is confirmed."""
    mails = ("confirmed", "cancelled") if confirmed else ("cancelled",)
    return End("cancelled", reason, reservation, payment, ledger, mails)


async def ends(stage: Stage, order_id: UUID, end: End) -> None:
    """Wait until nothing is under way, and insist on an order's end, on one verdict of a kind, and on the books."""
    await agree(stage)
    auditor, outside = stage.auditor, stage.outside
    order = await auditor.order(order_id)
    assert (order["status"], order["reason"], order["settled"]) == (end.status, end.reason, True)
    assert await _status(auditor, "inventory_service.reservations", order_id) == end.reservation
    assert await _status(auditor, "payment_service.payments", order_id) == end.payment
    lines = [line for line in await outside.ledger(stage.ledger_after) if line["key"] == str(order_id)]
    assert tuple(line["kind"] for line in lines) == end.ledger
    assert {line["amount"] for line in lines if line["kind"] in ("captured", "refunded")} <= {order["amount"]}
    verdicts = await events(auditor, "order", order_id)
    assert verdicts.get("order.cancelled.v1", 0) == (end.status == "cancelled")
    assert verdicts.get("order.confirmed.v1", 0) == ("confirmed" in end.mails)
    await mails_are(outside, order["email"], *(f"Your order {order_id} is {mail}" for mail in end.mails))


async def events(auditor: Auditor, service: str, order_id: UUID) -> Mapping[str, int]:
    """Count what a service has logged of an order, by the type of the event."""
    rows = await auditor.rows(
        f"SELECT type, count(*) FROM {service}_service.events WHERE correlation_id = $1 GROUP BY type",  # noqa: S608 - ours
        order_id,
    )
    return {row["type"]: row["count"] for row in rows}


async def ignored(auditor: Auditor, service: str, type_: str, reason: str) -> None:
    """Wait until a service has ignored one event of a type, for a reason that begins so."""

    async def look() -> None:
        rows = await auditor.rows(
            f"SELECT reason FROM {service}_service.inbox WHERE type = $1 AND outcome = 'ignored'",  # noqa: S608 - ours
            type_,
        )
        assert [row["reason"][: len(reason)] for row in rows] == [reason]

    await eventually(look)


async def becomes(auditor: Auditor, order_id: UUID, status: str) -> None:
    """Wait until an order has a status, settled or not."""

    async def look() -> None:
        assert (await auditor.order(order_id))["status"] == status

    await eventually(look)


async def settles(auditor: Auditor, order_id: UUID) -> None:
    """Wait until an order is settled."""

    async def look() -> None:
        assert (await auditor.order(order_id))["settled"]

    await eventually(look)


async def _status(auditor: Auditor, table: str, order_id: UUID) -> str:
    status: str = await auditor.value(f"SELECT status FROM {table} WHERE order_id = $1", order_id)  # noqa: S608 - ours
    return status
