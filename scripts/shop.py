"""The shop as its customers, its operator and its outside parties see it: what demo and tests speak to over HTTP.

Customers place and cancel, each with their own key; everything is looked at as the operator looks at it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeAlias
from uuid import uuid4

import httpx

from infra.ports import HOST, INVENTORY, NOTIFICATION, ORDER, PAYMENT, PROVIDER

Document: TypeAlias = dict[str, Any]

HTTP_TIMEOUT_S = 15.0
WAIT_MAX_S = 30.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the services and the provider listen."""

    order: str = f"http://{HOST}:{ORDER}"
    inventory: str = f"http://{HOST}:{INVENTORY}"
    payment: str = f"http://{HOST}:{PAYMENT}"
    notification: str = f"http://{HOST}:{NOTIFICATION}"
    provider: str = f"http://{HOST}:{PROVIDER}"


class Shop:
    """An async context with one HTTP client. Every method raises `httpx.HTTPError` where an answer is no success."""

    def __init__(
        self,
        operator_key: str,
        keys: Mapping[str, str] | None = None,
        addresses: Addresses | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`keys` are those of customers who have one; others are issued theirs when they first place an order.

        `transport` is another way to all of them than over the network.
        """
        self._at = addresses or Addresses()
        self._operator = {"X-Operator-Key": operator_key}
        self._keys = dict(keys or {})
        self._issued: list[tuple[str, str]] = []
        """Whom a key was issued to here, and where it is revoked: two who ask at once are issued one each."""
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(HTTP_TIMEOUT_S, read=WAIT_MAX_S + HTTP_TIMEOUT_S),
            transport=transport,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        """Open."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""
        await self._client.aclose()

    async def revoke_issued(self) -> None:
        """Revoke every key that was issued here; where that fails, what is left is revoked the next time."""
        while self._issued:
            customer_id, url = self._issued[-1]
            self._keys.pop(customer_id, None)
            answer = await self._client.delete(url, headers=self._operator)
            if answer.status_code != httpx.codes.NOT_FOUND:  # somebody else was quicker
                answer.raise_for_status()
            self._issued.pop()

    async def ready(self) -> None:
        """Insist that order is ready to take orders."""
        await self._get(f"{self._at.order}/readyz")

    async def place(
        self, lines: dict[str, int], token: str, customer_id: str = "ann", key: str | None = None
    ) -> Document:
        """Place an order; who asks again after silence gives the same idempotency key, or places two."""
        body = {
            "email": f"{customer_id}@example.org",
            "currency": "EUR",
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()],
            "payment_token": token,
        }
        return await self._post(f"{self._at.order}/orders", body, customer_id, key)

    async def cancel(self, order: Document, key: str | None = None) -> Document:
        """Cancel an order, as its customer."""
        return await self._post(f"{self._at.order}{order['location']}/cancel", None, order["customer_id"], key)

    async def settled(self, order_id: str, wait_s: float = WAIT_MAX_S) -> Document:
        """Read an order once it is settled, or as it is after `wait_s` seconds."""
        return await self._get(f"{self._at.order}/orders/{order_id}", wait=wait_s)

    async def stock(self, sku: str) -> Document:
        """Look at the stock of a SKU."""
        return await self._get(f"{self._at.inventory}/stock/{sku}")

    async def receive(self, sku: str, quantity: int) -> None:
        """Bring goods, as the operator does."""
        headers = {"Idempotency-Key": str(uuid4()), **self._operator}
        url = f"{self._at.inventory}/stock/{sku}/receipts"
        (await self._client.post(url, json={"quantity": quantity}, headers=headers)).raise_for_status()

    async def faults(self, **rates: float) -> Document:
        """Set the provider's faults, those not given to none, and give how often each was injected so far."""
        return _document(await self._client.put(f"{self._at.provider}/v1/faults", json=rates, headers=self._operator))

    async def payment(self, order_id: str) -> Document:
        """Look at an order's money, as payment tells it."""
        return await self._get(f"{self._at.payment}/payments/{order_id}")

    async def mails(self, order_id: str) -> dict[str, str]:
        """Give how far each mail about an order is, by its kind."""
        told = await self._get(f"{self._at.notification}/notifications", order_id=order_id)
        return {mail["kind"]: mail["progress"] for mail in told["notifications"]}

    async def ledger(self, order_id: str) -> tuple[int, int]:
        """Give what was captured and what was undone for an order, in minor units, by the provider's own books."""
        answer = await self._client.get(f"{self._at.provider}/v1/charges/{order_id}")
        if answer.status_code == 404:
            return 0, 0
        books = answer.raise_for_status().json()
        charge, undo = books["charge"] or {}, books["undo"] or {}
        captured = charge["amount"] if charge.get("status") == "captured" else 0
        return captured, undo["amount"] if undo.get("status") == "refunded" else 0

    async def _get(self, url: str, **parameters: Any) -> Document:
        return _document(await self._client.get(url, params=parameters, headers=self._operator))

    async def _post(self, url: str, body: object, customer_id: str, key: str | None) -> Document:
        customer = {"Authorization": f"Bearer {await self._key_of(customer_id)}"}
        headers = {"Idempotency-Key": key or str(uuid4()), **customer}
        return _document(await self._client.post(url, json=body, headers=headers))

    async def _key_of(self, customer_id: str) -> str:
        if customer_id not in self._keys:
            url = f"{self._at.order}/customers/{customer_id}/keys"
            issued = _document(await self._client.post(url, headers=self._operator))
            self._issued.append((customer_id, f"{url}/{issued['key_id']}"))
            self._keys[customer_id] = issued["key"]
        return self._keys[customer_id]


def _document(answer: httpx.Response) -> Document:
    document: Document = answer.raise_for_status().json()
    return document
