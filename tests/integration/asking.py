"""Asking order over HTTP as any client would, answers and refusals alike."""

from typing import Any
from uuid import UUID, uuid4

import httpx

from tests.integration.stage import Actor

ANN = "ann"
BODY: dict[str, Any] = {
    "email": "ann@example.org",
    "currency": "EUR",
    "lines": [{"sku": "bow", "quantity": 1}],
    "payment_token": "tok_approved",
}
PROBLEM = "application/problem+json"


async def ask_to_cancel(order: Actor, location: str, who: str = ANN, **headers: str) -> httpx.Response:
    """Ask as a customer for an order to be cancelled."""
    return await order.http.post(f"{location}/cancel", headers=await order.as_customer(who) | headers)


async def ask(order: Actor, key: str | None = None, who: str = ANN, **changes: Any) -> httpx.Response:
    """Ask as a customer for an order like `BODY` but for `changes`."""
    headers = await order.as_customer(who) | ({} if key is None else {"Idempotency-Key": key})
    return await order.http.post("/orders", json=BODY | changes, headers=headers)


async def bought(order: Actor, **quantities: int) -> UUID:
    """Place an order of Ann's, with an address that no other order has, and give its id."""
    email = f"{uuid4()}@example.org"
    lines = [{"sku": sku, "quantity": quantity} for sku, quantity in quantities.items()]
    answer = await ask(order, email, email=email, lines=lines)
    assert answer.status_code == 201, answer.text
    return UUID(answer.json()["order_id"])


async def cancel(order: Actor, order_id: UUID) -> None:
    """Cancel an order of Ann's."""
    answer = await ask_to_cancel(order, f"/orders/{order_id}")
    assert (answer.status_code, answer.json().get("status")) == (200, "cancelled"), answer.text


def is_problem(answer: httpx.Response, status: int) -> None:
    """Insist that an answer is a problem document of this status (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
