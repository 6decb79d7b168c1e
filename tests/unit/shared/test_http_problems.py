"""Every answer that is not a success is a problem document, and tells nothing that it should not."""

from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Header, Query
from pydantic import BaseModel, ConfigDict

from services.inventory.api import Receipt
from services.order.api import PlaceOrder
from shared.http.body_limit import BodyLimit
from shared.http.problems import ProblemError, add_problem_handlers
from shared.ports import ConflictError, WorldError
from tests.unit.shared.http import check_problem, client

SECRET = "zzyzx"
ORDER = {
    "email": "anna@example.com",
    "currency": "EUR",
    "lines": [{"sku": "mug", "quantity": 1}],
    "payment_token": "tok_approved",
}


class Tea(BaseModel):
    model_config = ConfigDict(extra="forbid")

    cups: int


def an_app() -> FastAPI:
    app = FastAPI()
    app.add_middleware(BodyLimit)
    add_problem_handlers(app)

    @app.post("/tea")
    async def tea(body: Tea) -> Tea:
        return body

    @app.post("/orders")
    async def orders(body: PlaceOrder) -> dict[str, str]:
        return {}

    @app.post("/receipts")
    async def receipts(body: Receipt) -> dict[str, str]:
        return {}

    @app.get("/look")
    async def look(limit: Annotated[int, Query(le=10)] = 1, x_key: Annotated[str, Header(max_length=3)] = "") -> int:
        return limit

    @app.get("/raise/{what}")
    async def fail(what: str) -> None:
        errors = {
            "bug": ZeroDivisionError(SECRET),
            "world": WorldError(f"cannot reach {SECRET}"),
            "conflict": ConflictError(SECRET),
            "problem": ProblemError(422, "Not this one.", {"X-Why": "because"}, sku="mug"),
        }
        raise errors[what]

    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with client(an_app()) as http:
        yield http


@pytest.mark.parametrize("body", [b"{", b"nonsense", b"\xff\xfe", b"[" * 5_000, b'{"cups":' + b"1" * 5_000 + b"}"])
async def test_400(http: httpx.AsyncClient, body: bytes) -> None:
    """A body that is no JSON at all, or none that anybody could mean."""
    check_problem(await http.post("/tea", content=body, headers={"content-type": "application/json"}), 400)


async def test_404(http: httpx.AsyncClient) -> None:
    """A path that is not there."""
    check_problem(await http.get("/coffee"), 404)


async def test_405(http: httpx.AsyncClient) -> None:
    """A method that is not meant, with those that are."""
    response = await http.put("/tea", json={})
    check_problem(response, 405)
    assert response.headers["allow"] == "POST"


async def test_413(http: httpx.AsyncClient) -> None:
    """A body that is too big."""
    check_problem(await http.post("/tea", content=b" " * 65_537), 413)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["body.cups"]),
        ({"cups": SECRET}, ["body.cups"]),
        ({"cups": None}, ["body.cups"]),
        ({"cups": 1, "sugar": SECRET}, ["body.sugar"]),
        ({"sugar": SECRET}, ["body.cups", "body.sugar"]),
        ([SECRET], ["body"]),
    ],
)
async def test_422(http: httpx.AsyncClient, body: object, fields: list[str]) -> None:
    """A request that is not valid names each field that is wrong, and no value."""
    response = await http.post("/tea", json=body)
    document = check_problem(response, 422, "The request is not valid.")
    assert [error["field"] for error in document["errors"]] == fields
    assert SECRET not in response.text


async def test_422_outside_the_body(http: httpx.AsyncClient) -> None:
    """So it is with the query and the headers."""
    response = await http.get("/look", params={"limit": SECRET}, headers={"x-key": SECRET})
    document = check_problem(response, 422)
    assert {error["field"] for error in document["errors"]} == {"query.limit", "header.x-key"}
    assert SECRET not in response.text


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/orders", {"customer_id": SECRET}),
        ("/orders", {"email": SECRET}),
        ("/orders", {"email": f"{SECRET} bert@example.com"}),
        ("/orders", {"email": f"{SECRET}@localhost"}),
        ("/orders", {"email": [SECRET]}),
        ("/orders", {"email": f"{SECRET}@{'a' * 300}.example"}),
        ("/orders", {"currency": SECRET}),
        ("/orders", {"lines": [{"sku": f"{SECRET}!", "quantity": 1}]}),
        ("/orders", {"lines": [{"sku": "mug", "quantity": SECRET}]}),
        ("/orders", {"lines": SECRET}),
        ("/orders", {"payment_token": f"{SECRET} {SECRET}"}),
        ("/orders", {"payment_token": SECRET * 100}),
        ("/orders", {"payment_token": {SECRET: SECRET}}),
        ("/orders", {"discount": SECRET}),
        ("/receipts", {"quantity": SECRET}),
        ("/receipts", {"quantity": 1, "note": SECRET}),
    ],
)
async def test_values_are_not_echoed(http: httpx.AsyncClient, path: str, wrong: dict[str, object]) -> None:
    """What the services' own bodies refuse is named by its field, and its value is told to nobody."""
    response = await http.post(path, json={**(ORDER if path == "/orders" else {}), **wrong})
    check_problem(response, 422)
    assert SECRET not in response.text


async def test_the_order_that_is_refused_above_is_right_otherwise(http: httpx.AsyncClient) -> None:
    """Only what is wrong there is wrong there."""
    assert (await http.post("/orders", json=ORDER)).status_code == 200


async def test_500(http: httpx.AsyncClient) -> None:
    """A mistake of ours is told as such, and nothing of what it was."""
    response = await http.get("/raise/bug")
    check_problem(response, 500, "Something went wrong here.")
    assert SECRET not in response.text


@pytest.mark.parametrize("what", ["world", "conflict"])
async def test_503(http: httpx.AsyncClient, what: str) -> None:
    """The world's fault may be over soon: the answer says when to come again, and nothing of what it was."""
    response = await http.get(f"/raise/{what}")
    check_problem(response, 503)
    assert response.headers["retry-after"] == "1"
    assert SECRET not in response.text


async def test_a_problem_of_our_own(http: httpx.AsyncClient) -> None:
    """A problem that a route ends with has its detail, its members and its headers."""
    response = await http.get("/raise/problem")
    assert check_problem(response, 422, "Not this one.")["sku"] == "mug"
    assert response.headers["x-why"] == "because"
