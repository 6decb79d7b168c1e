"""Asking order over HTTP as any client would, answers and refusals alike."""

from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.integration.stage import Actor

BODY: dict[str, Any] = {
    "customer_id": "ann",
    "email": "ann@example.org",
    "currency": "EUR",
    "lines": [{"sku": "bow", "quantity": 1}],
    "payment_token": "tok_approved",
}
PROBLEM = "application/problem+json"


async def ask(order: Actor, key: str | None = None, **changes: Any) -> httpx.Response:
    """Ask for an order like `BODY` but for `changes`."""
    headers = {} if key is None else {"Idempotency-Key": key}
    return await order.http.post("/orders", json=BODY | changes, headers=headers)


async def bought(order: Actor, **quantities: int) -> UUID:
    """Place an order of a customer of its own, with an address that nobody else has, and give its id."""
    customer = f"c-{uuid4()}"
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]
    email = f"{customer}@example.org"
    answer = await ask(order, customer, customer_id=customer, email=email, lines=lines)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["order_id"])


async def cancel(order: Actor, order_id: UUID) -> None:
    """Cancel an order, as its customer does."""
    answer = await order.http.post(f"/orders/{order_id}/cancel")
    assert (answer.status_code, answer.json().get("status")) == (200, "cancelled"), answer.text


def is_problem(answer: httpx.Response, status: int) -> None:
    """Insist that an answer is a problem document of this status (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
