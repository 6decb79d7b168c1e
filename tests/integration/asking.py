"""Asking order over HTTP as any client would, answers and refusals alike."""

from typing import Any

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


def is_problem(answer: httpx.Response, status: int) -> None:
    """Insist that an answer is a problem document of this status (RFC 9457)."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert answer.json()["status"] == status
    assert answer.json()["detail"]
