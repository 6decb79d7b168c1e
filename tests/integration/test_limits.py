"""What order turns away: each with a problem document, and nothing is written."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import pytest_asyncio

from shared.http.body_limit import BODY_MAX_BYTES
from shared.vocabulary.order import LINES_MAX, QUANTITY_MAX
from tests.integration.asking import ANN, BODY, ask, ask_to_cancel, is_problem
from tests.integration.stage import AS_OPERATOR, Actor, Stage

pytestmark = [pytest.mark.integration, pytest.mark.once]

JSON = {"Content-Type": "application/json", "Idempotency-Key": "key"}
TOO_MANY_LINES = [{"sku": f"sku-{number}", "quantity": 1} for number in range(LINES_MAX + 1)]

CASES: dict[str, dict[str, Any]] = {
    "no line": {"lines": []},
    "too many lines": {"lines": TOO_MANY_LINES},
    "none of it": {"lines": [{"sku": "bow", "quantity": 0}]},
    "less than none": {"lines": [{"sku": "bow", "quantity": -1}]},
    "too much of it": {"lines": [{"sku": "bow", "quantity": QUANTITY_MAX + 1}]},
    "half a bow": {"lines": [{"sku": "bow", "quantity": 1.5}]},
    "one SKU in two lines": {"lines": [{"sku": "bow", "quantity": 1}] * 2},
    "not in the catalogue": {"lines": [{"sku": "oboe", "quantity": 1}]},
    "a price of the client's": {"lines": [{"sku": "bow", "quantity": 1, "unit_price": 1}]},
    "not sold in this currency": {"currency": "USD"},
    "no currency": {"currency": "eur"},
    "no token": {"payment_token": ""},
    "too long a token": {"payment_token": "t" * 129},
    "a customer's name": {"customer_id": "ann"},
    "a field that nobody knows": {"total": 1},
}


@pytest_asyncio.fixture
async def order(stage: Stage) -> AsyncIterator[Actor]:
    """Order with its catalogue; at the end it must have placed nothing."""
    await stage.offer()
    yield await stage.start("order")
    for table in ("orders", "events", "inbox", "requests", "outbox"):
        assert await stage.auditor.count(f"order_service.{table}") == 0


async def test_an_order_that_cannot_be_is_refused(order: Actor) -> None:
    """Whatever is wrong with it, the answer says so."""
    for changes in CASES.values():
        is_problem(await ask(order, "key", **changes), 422)


async def test_a_refusal_never_repeats_what_was_sent(order: Actor) -> None:
    """It names the field that is wrong; its value may be personal."""
    answer = await ask(order, "key", email="private address", payment_token="secret token with spaces")
    is_problem(answer, 422)
    assert {error["field"] for error in answer.json()["errors"]} == {"body.email", "body.payment_token"}
    assert "private" not in answer.text
    assert "secret" not in answer.text


async def test_a_body_past_the_bound_is_refused(order: Actor) -> None:
    """Whether its length is announced or it comes in parts that never seem to end."""
    body = orjson.dumps(BODY | {"padding": "x" * BODY_MAX_BYTES})

    async def parts() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), 1000):
            yield body[begin : begin + 1000]

    is_problem(await order.http.post("/orders", content=body, headers=JSON), 413)
    is_problem(await order.http.post("/orders", content=parts(), headers=JSON), 413)


async def test_a_body_that_is_not_json_is_refused(order: Actor) -> None:
    """Cut off in the middle, it is bad syntax and not a bad order."""
    headers = JSON | await order.as_customer(ANN)
    is_problem(await order.http.post("/orders", content=orjson.dumps(BODY)[:-10], headers=headers), 400)


async def test_a_key_past_its_bound_is_refused(order: Actor) -> None:
    """Neither an empty key nor an endless one."""
    for key in ("", "k" * 201):
        is_problem(await ask(order, key), 422)


async def test_what_is_not_there_is_not_found(order: Actor) -> None:
    """Reading, waiting for and cancelling an order that never was."""
    nobody = "/orders/01890000-0000-7000-8000-000000000000"
    for who in (AS_OPERATOR, await order.as_customer(ANN)):
        is_problem(await order.http.get(nobody, headers=who), 404)
        is_problem(await order.http.get(f"{nobody}?wait=5", headers=who), 404)
        is_problem(await order.http.get("/orders/no-id", headers=who), 422)
    is_problem(await ask_to_cancel(order, nobody), 404)
    is_problem(await order.http.get("/nothing"), 404)
