"""Try it: an order of each kind, placed as a customer would, and the provider's faults, set as its operator would."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.dashboard import documents
from services.dashboard.forms import Form, ask
from services.dashboard.parts import Parts
from services.dashboard.rendering import render
from shared.http.problems import ProblemError

SEEN_LOOKS_MAX, SEEN_POLL_S = 60, 0.05
"""So often the picture is looked at for an order that was just placed."""
CONFIRMED_TIMEOUT_S = 10.0
FAULTS = ("decline_rate", "timeout_rate", "error_rate", "latency_ms")
EMAIL = "visitor@example.org"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of order: what is ordered, with which test token of the provider, and what comes of it."""

    name: str
    title: str
    comes: str
    sku: str
    quantity: int
    token: str
    then_cancel: bool = False


KINDS = (
    Kind("good", "It goes through", "stock is held, money taken, the order confirmed", "rosin", 1, "tok_approved"),
    Kind("declined", "The card is declined", "the order is cancelled, the stock let go", "strings", 1, "tok_declined"),
    Kind("sold-out", "There is not enough", "the stock is rejected, nothing was charged", "stradivarius", 2,
         "tok_approved"),
    Kind("cancelled", "The customer cancels", "once confirmed: what was sold is restocked, the money refunded",
         "strings", 1, "tok_approved", then_cancel=True),
    Kind("flaky", "The provider fails twice", "the charge is asked for again, and taken once", "rosin", 1, "tok_flaky"),
    Kind("silent", "The provider's answer is lost", "it charged, and nobody heard: the same key is asked for again",
         "rosin", 1, "tok_timeout_captured"),
)  # fmt: skip


def trying(parts: Parts) -> APIRouter:
    """Make the routes."""
    router = APIRouter(include_in_schema=False)
    settings = parts.settings

    @router.get("/try")
    async def look() -> Response:
        return render("try.html", page="try", behind=documents.behind(parts), kinds=KINDS,
                      can_order=settings.customer_key is not None, faults=await _faults(parts))  # fmt: skip

    @router.post("/try/order")
    async def place(request: Request) -> Response:
        form = await Form.of(request)
        kind = next((each for each in KINDS if each.name == form.get("kind")), None)
        if kind is None or settings.customer_key is None:
            raise ProblemError(422, "No order can be placed here: there is no customer's key, or no such kind.")
        order_id = await _place(parts, kind)
        await _seen(parts, order_id)
        return RedirectResponse(f"/orders/{order_id}", 303)

    @router.post("/try/faults")
    async def set_faults(request: Request) -> Response:
        form = await Form.of(request)
        if settings.provider_url is None:
            raise ProblemError(422, "No setting says where the provider is.")
        headers = httpx.Headers([(b"X-Operator-Key", form.get("key").encode())])
        url = f"{settings.provider_url}/v1/faults"
        await ask(parts.outside, "PUT", url, json=_rates(form), headers=headers)
        return RedirectResponse("/try#faults", 303)

    return router


async def _faults(parts: Parts) -> dict[str, Any] | None:
    if parts.settings.provider_url is None:
        return None
    try:
        found: dict[str, Any] = await ask(parts.outside, "GET", f"{parts.settings.provider_url}/v1/faults")
    except ProblemError:
        return None
    return found


def _rates(form: Form) -> dict[str, float]:
    try:
        rates = {name: float(form.get(name) or 0) for name in FAULTS}
        return rates | {"latency_ms": int(rates["latency_ms"])}
    except (ValueError, OverflowError) as error:
        raise ProblemError(422, "A rate is a number from 0 to 1, a latency a number of milliseconds.") from error


async def _place(parts: Parts, kind: Kind) -> UUID:
    body = {
        "email": EMAIL,
        "currency": "EUR",
        "lines": [{"sku": kind.sku, "quantity": kind.quantity}],
        "payment_token": kind.token,
    }
    url, headers = f"{parts.settings.order_url}/orders", _as_customer(parts)
    placed = await ask(parts.outside, "POST", url, json=body, headers=headers)
    order_id = UUID(placed["order_id"])
    if kind.then_cancel:
        await _until_confirmed(parts, f"{url}/{order_id}", headers)
        await ask(parts.outside, "POST", f"{url}/{order_id}/cancel", headers=headers)
    return order_id


def _as_customer(parts: Parts) -> dict[str, str]:
    assert parts.settings.customer_key is not None
    key = parts.settings.customer_key.get_secret_value()
    return {"Authorization": f"Bearer {key}", "Idempotency-Key": str(uuid4())}


async def _until_confirmed(parts: Parts, url: str, headers: dict[str, str]) -> None:
    """Wait for the order to be confirmed; cancelled before that it is another story, and a good one too."""
    await ask(parts.outside, "GET", url, params={"wait": CONFIRMED_TIMEOUT_S}, headers=headers)


async def _seen(parts: Parts, order_id: UUID) -> None:
    """Wait for the picture to have it, or not much longer."""
    for _ in range(SEEN_LOOKS_MAX):
        if await parts.picture.order(order_id) is not None:
            return
        await asyncio.sleep(SEEN_POLL_S)
