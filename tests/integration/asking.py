"""Asking order over HTTP as any client would, answers and refusals alike."""

from typing import Any

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


async def cancel(order: Actor, location: str, who: str = ANN, **headers: str) -> httpx.Response:
    """Cancel an order as a customer."""
    return await order.http.post(f"{location}/cancel", headers=await order.as_customer(who) | headers)


async def ask(order: Actor, key: str | None = None, who: str = ANN, **changes: Any) -> httpx.Response:
    """Ask as a customer for an order like `BODY` but for `changes`."""
    headers = await order.as_customer(who) | ({} if key is None else {"Idempotency-Key": key})
    return await order.http.post("/orders", json=BODY | changes, headers=headers)


def is_problem(answer: httpx.Response, status: int) -> None:
    """Insist that an answer is a problem document of this status (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
