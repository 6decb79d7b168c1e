"""Every outcome of an order, end to end: real broker, real database, real provider, real mail server."""

from dataclasses import dataclass

import pytest

from scripts.shop import Document
from tests.integration.books import agree, mails_are
from tests.integration.shop import LocalShop
from tests.integration.stage import PRICES, Stage

pytestmark = pytest.mark.integration

STOCK = {"rosin": 10, "bow": 10}


@dataclass(frozen=True, slots=True)
class Case:
    """An order of `quantity` bows and one rosin, and what it must come to."""

    name: str
    token: str
    status: str = "confirmed"
    reason: str | None = None
    quantity: int = 2
    captured: bool = True
    then_cancel: bool = False
    mails: tuple[str, ...] = ("confirmed",)


CASES = (
    Case("confirmed", "tok_approved"),
    Case("declined", "tok_declined", "cancelled", "payment_declined", captured=False, mails=("cancelled",)),
    Case("no funds", "tok_insufficient_funds", "cancelled", "payment_declined", captured=False, mails=("cancelled",)),
    Case("out of stock", "tok_approved", "cancelled", "out_of_stock", 11, captured=False, mails=("cancelled",)),
    Case("cancelled", "tok_approved", "cancelled", "customer_request", 2, True, True, ("confirmed", "cancelled")),
    Case("provider fails twice", "tok_flaky"),
    Case("provider answers late", "tok_late"),
    Case("provider captures and is silent", "tok_timeout_captured"),
)


async def play(shop: LocalShop, case: Case) -> Document:
    """Buy, wait until it is settled, and where the case says so cancel and wait again."""
    order = await shop.bought({"bow": case.quantity, "rosin": 1}, case.token)
    if case.then_cancel:
        assert (order["status"], order["settled"]) == ("confirmed", True)
        await shop.cancel(order)
        order = await shop.settled(order["order_id"])
    return order


async def as_it_must(shop: LocalShop, stage: Stage, case: Case, order: Document) -> None:
    """Hold an order against its case: the answer, the provider's ledger, the mails."""
    total = case.quantity * PRICES["bow"] + PRICES["rosin"]
    assert (order["status"], order["reason"], order["settled"]) == (case.status, case.reason, True)
    assert order["total"] == {"amount": total, "currency": "EUR"}
    captured = total if case.captured else 0
    refunded = captured if case.status == "cancelled" else 0
    assert await shop.ledger(order["order_id"]) == (captured, refunded)
    subjects = [f"Your order {order['order_id']} is {mail}" for mail in case.mails]
    await mails_are(stage.outside, f"{order['customer_id']}@example.org", *subjects)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_an_order_ends_as_it_must(shop: LocalShop, stage: Stage, case: Case) -> None:
    """Order, stock, the provider's ledger and the mails agree, and nothing is left under way."""
    await stage.offer(**STOCK)
    order = await play(shop, case)
    await as_it_must(shop, stage, case, order)
    await agree(stage)
