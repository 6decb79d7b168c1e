"""What can be read without a key: nothing that tells of a customer."""

import httpx
import pytest

from infra.ports import SERVICES
from shared.ids import new_id
from tests.integration.asking import is_problem
from tests.integration.shop import LocalShop
from tests.integration.stage import AS_OPERATOR, Actor, Stage

pytestmark = [pytest.mark.integration, pytest.mark.once]

OPEN = {
    "order": {"get /livez", "get /readyz", "get /metrics"},
    "inventory": {"get /livez", "get /readyz", "get /metrics", "get /stock", "get /stock/{sku}"},
    "payment": {"get /livez", "get /readyz", "get /metrics"},
    "notification": {"get /livez", "get /readyz", "get /metrics"},
}
UNDOCUMENTED = {"/openapi.json", "/asyncapi", "/asyncapi.json", "/asyncapi/index.js", "/asyncapi/default.min.css"}
"""What describes a service, which everybody may read."""


@pytest.mark.parametrize("service", SERVICES)
async def test_every_route_but_these_has_a_lock(stage: Stage, service: str) -> None:
    """By the OpenAPI document; and nothing is served that it leaves out, but what describes the service."""
    actor = await stage.start(service)
    document = (await actor.http.get("/openapi.json")).json()
    unlocked = {
        f"{method} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if not operation.get("security")
    }
    assert unlocked == OPEN[service]
    for path in UNDOCUMENTED:
        assert (await actor.http.get(path)).status_code == 200
    for path in ("/docs", "/redoc", "/"):
        is_problem(await actor.http.get(path), 404)


async def test_money_and_mails_are_for_the_operator(stage: Stage, actors: dict[str, Actor]) -> None:
    """Whether there are any or not, nobody else is told; not even the customer, whose order tells the rest."""
    await stage.offer(bow=1)
    async with LocalShop(stage, actors) as shop:
        order = await shop.bought({"bow": 1})
    customer = await actors["order"].as_customer(order["customer_id"])

    async def look(headers: dict[str, str], order_id: str) -> list[httpx.Response]:
        return [
            await actors["payment"].http.get(f"/payments/{order_id}", headers=headers),
            await actors["notification"].http.get("/notifications", params={"order_id": order_id}, headers=headers),
        ]

    for headers in ({}, customer, {"X-Operator-Key": "wrong"}):
        for order_id in (order["order_id"], str(new_id())):
            for answer in await look(headers, order_id):
                is_problem(answer, 403)
    for answer in await look(AS_OPERATOR, order["order_id"]):
        assert answer.status_code == 200


async def test_goods_are_brought_by_the_operator(stage: Stage) -> None:
    """Anybody looks at the stock; nobody else changes it."""
    inventory = await stage.start("inventory")
    for headers in ({}, {"X-Operator-Key": "wrong"}):
        keyed = {"Idempotency-Key": "key", **headers}
        is_problem(await inventory.http.post("/stock/bow/receipts", json={"quantity": 1}, headers=keyed), 403)
    is_problem(await inventory.http.get("/stock/bow"), 404)
    keyed = {"Idempotency-Key": "key", **AS_OPERATOR}
    assert (await inventory.http.post("/stock/bow/receipts", json={"quantity": 1}, headers=keyed)).status_code == 201
    assert (await inventory.http.get("/stock/bow")).json()["available"] == 1
