"""The books of the order service, of inventory and of the payment provider, read over HTTP before and after a run."""

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx

from benchmarks.load.audit import Account, Ordered, Stock
from infra.ports import HOST, INVENTORY, ORDER, PROVIDER

HTTP_TIMEOUT_S = 30.0
ORDERS_PER_PAGE = 200
LINES_PER_PAGE = 1000
SKUS_PER_PAGE = 500
PAGES_MAX = 10_000
RECEIPT_MAX = 1000
"""Inventory takes no more with one receipt."""
LOOK_AGAIN_S = 0.5


class Shelves:
    """An HTTP client of everything that keeps books. Every method raises `httpx.HTTPError` where one is no success."""

    def __init__(self, operator_key: str) -> None:
        self._client = httpx.Client(timeout=HTTP_TIMEOUT_S, trust_env=False)
        self._operator = {"X-Operator-Key": operator_key}

    def __enter__(self) -> Self:
        """Open."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close."""
        self._client.close()

    def stock(self) -> dict[str, Stock]:
        """Give all stock by SKU."""
        pages = self._pages(f"http://{HOST}:{INVENTORY}/stock", "stock", "after", SKUS_PER_PAGE)
        return {row["sku"]: Stock(row["received"], row["available"], row["reserved"], row["sold"]) for row in pages}

    def quiet_stock(self, patience_s: float) -> dict[str, Stock] | None:
        """Give all stock once nothing of it is reserved; None if something still is after `patience_s`."""
        ends_s = time.monotonic() + patience_s
        while time.monotonic() < ends_s:
            stock = self.stock()
            if not any(level.reserved for level in stock.values()):
                return stock
            time.sleep(LOOK_AGAIN_S)
        return None

    def receive(self, sku: str, quantity: int, run: str) -> None:
        """Bring goods, as an operator does."""
        for number in itertools.count():
            part = min(quantity - number * RECEIPT_MAX, RECEIPT_MAX)
            if part <= 0:
                return
            self._client.post(
                f"http://{HOST}:{INVENTORY}/stock/{sku}/receipts",
                json={"quantity": part},
                headers={"Idempotency-Key": f"{run} {sku} {number}", **self._operator},
            ).raise_for_status()

    def key(self, customer_id: str) -> str:
        """Issue a customer's key, as an operator does."""
        url = f"http://{HOST}:{ORDER}/customers/{customer_id}/keys"
        return str(self._client.post(url, headers=self._operator).raise_for_status().json()["key"])

    def orders(self, customer_id: str) -> dict[str, Ordered]:
        """Give every order of a customer by its id."""
        found = self._pages(
            f"http://{HOST}:{ORDER}/orders", "orders", "before", ORDERS_PER_PAGE, customer_id=customer_id
        )
        return {
            row["order_id"]: Ordered(
                row["status"],
                row["reason"],
                row["settled"],
                row["total"]["amount"],
                {line["sku"]: line["quantity"] for line in row["lines"]},
            )
            for row in found
        }

    def settled_orders(self, customer_id: str, patience_s: float) -> dict[str, Ordered]:
        """Give every order of a customer once all are settled, or as they are after `patience_s`."""
        ends_s = time.monotonic() + patience_s
        while True:
            orders = self.orders(customer_id)
            if all(order.settled for order in orders.values()) or time.monotonic() > ends_s:
                return orders
            time.sleep(LOOK_AGAIN_S)

    def ledger_end(self) -> int:
        """Give the number of the ledger's last line: lines are numbered without gaps, and none ever goes."""
        summary = self._client.get(f"http://{HOST}:{PROVIDER}/v1/ledger/summary").raise_for_status()
        return int(summary.json()["lines"])

    def money(self, after_line: int) -> dict[str, Account]:
        """Add up the ledger past a line, by key."""
        pages = self._pages(f"http://{HOST}:{PROVIDER}/v1/ledger", "lines", "after", LINES_PER_PAGE, after=after_line)
        captured: Counter[str] = Counter()
        refunded: Counter[str] = Counter()
        for line in pages:
            captured[line["key"]] += line["amount"] if line["kind"] == "captured" else 0
            refunded[line["key"]] += line["amount"] if line["kind"] == "refunded" else 0
        return {key: Account(captured[key], refunded[key]) for key in captured}

    def _pages(self, url: str, rows: str, cursor: str, limit: int, **parameters: Any) -> Iterator[Any]:
        asked = {**parameters, "limit": limit}
        for _ in range(PAGES_MAX):
            page = self._client.get(url, params=asked, headers=self._operator).raise_for_status().json()
            yield from page[rows]
            if page["next"] is None:
                return
            asked[cursor] = page["next"]
        raise httpx.TooManyRedirects(f"{url} has more than {PAGES_MAX:,} pages")
