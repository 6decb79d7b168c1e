"""One customer's way: place an order, perhaps cancel it, and wait until it is settled; every step over HTTP."""

import random
import time
from dataclasses import dataclass
from typing import Any

import gevent
import orjson

from benchmarks.load.channel import Answer, Channel
from benchmarks.load.kinds import Cancels
from benchmarks.load.plan import Arrival

ASKS_MAX = 30
"""A request without a usable answer is sent again, under the same Idempotency-Key: for half a minute or so in all."""
BACKOFF_S = 0.1
BACKOFF_MAX_S = 2.0
WAIT_S = 30
"""So long the order service holds a question whether an order is settled."""
PATIENCE_S = 150.0
"""Longer than the deadline after which an order gives itself up, and its undoing."""
AGAIN = frozenset({0, 409, 429, 500, 502, 503, 504})
"""No answer, still in flight, or not now."""


class GaveUpError(Exception):
    """No usable answer, however often it was asked."""


@dataclass(slots=True)
class Visit:
    """What came of one arrival; times in seconds after the intended one."""

    arrival: Arrival
    began_late_s: float
    order_id: str | None = None
    settled_after_s: float | None = None
    given_up: str | None = None


class Customer:
    """Plays every arrival of a run, each in a greenlet of its own; `began_s` is the load's beginning (monotonic)."""

    def __init__(self, channel: Channel, customer_id: str, began_s: float) -> None:
        self._channel = channel
        self._customer_id = customer_id
        self._began_s = began_s

    def visit(self, visit: Visit) -> None:
        """Go the whole way; how far it went is written into the visit."""
        intended_s = self._began_s + visit.arrival.at_s
        try:
            visit.order_id = self._place(visit.arrival)
            if visit.arrival.kind.cancels is Cancels.WHEN_SETTLED:
                self._wait(visit.order_id, intended_s)
            if visit.arrival.kind.cancels is not Cancels.NEVER:
                self._cancel(visit.order_id, visit.arrival)
            self._wait(visit.order_id, intended_s)
        except GaveUpError as error:
            visit.given_up = str(error)
        else:
            visit.settled_after_s = time.monotonic() - intended_s

    def _place(self, arrival: Arrival) -> str:
        body = {
            "email": "load@example.org",
            "currency": "EUR",
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in arrival.quantities.items()],
            "payment_token": arrival.token,
        }
        answer = self._ask("POST", "/orders", "/orders", orjson.dumps(body), self._key(arrival))
        order_id: str = _document(answer)["order_id"]
        return order_id

    def _cancel(self, order_id: str, arrival: Arrival) -> None:
        self._ask("POST", f"/orders/{order_id}/cancel", "/orders/ID/cancel", b"", f"{self._key(arrival)} cancel")

    def _wait(self, order_id: str, intended_s: float) -> None:
        while not _document(self._ask("GET", f"/orders/{order_id}?wait={WAIT_S}", "/orders/ID?wait"))["settled"]:
            if time.monotonic() - intended_s > PATIENCE_S:
                raise GaveUpError(f"order {order_id} is not settled after {PATIENCE_S:.0f} s")

    def _ask(self, method: str, path: str, name: str, body: bytes = b"", key: str = "") -> Answer:
        for ask in range(ASKS_MAX):
            if ask:
                gevent.sleep(random.random() * min(BACKOFF_MAX_S, BACKOFF_S * 2**ask))
            answer = self._channel.ask(method, path, name, body, key)
            if answer.status not in AGAIN:
                break
        if not 200 <= answer.status < 300:
            raise GaveUpError(f"{method} {name}: {answer.told}")
        return answer

    def _key(self, arrival: Arrival) -> str:
        return f"{self._customer_id} {arrival.number}"


def _document(answer: Answer) -> Any:
    return orjson.loads(answer.body)
