"""What an operator may do needs the operator's key everywhere, says so in the OpenAPI document, and is recorded."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from infra.ports import SERVICES
from tests.integration.asking import is_problem
from tests.integration.operating import KEY, acts
from tests.integration.stage import Stage

pytestmark = pytest.mark.integration

OPERATIONS = {
    ("get", "/dead-letters"),
    ("get", "/dead-letters/{letter_id}"),
    ("post", "/dead-letters/replay"),
    ("post", "/dead-letters/drop"),
    ("get", "/parked"),
    ("post", "/parked/release"),
    ("post", "/refill"),
    ("get", "/operator-actions"),
    ("get", "/events"),
    ("get", "/backlog"),
    ("post", "/outcomes"),
    ("get", "/intents"),
}
KEYS = "/customers/{customer_id}/keys"
OWN = {
    "order": {("get", KEYS), ("post", KEYS), ("delete", KEYS + "/{key_id}")},
    "inventory": {("post", "/stock/{sku}/receipts")},
    "payment": {("get", "/payments/{order_id}")},
    "notification": {("get", "/notifications")},
}


def locked(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Give the routes that a document says need the operator's key."""
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            if route.get("security") == [{"OperatorKey": []}]:
                yield method, path


@pytest.mark.parametrize("service", SERVICES)
async def test_every_operation_needs_the_key(stage: Stage, service: str) -> None:
    """Without it, or with another, all are refused; with it none is. The document says of which this is so."""
    actor = await stage.start(service)
    document = (await actor.http.get("/openapi.json")).json()
    expected = OPERATIONS | OWN[service]
    assert set(locked(document)) == expected
    assert document["components"]["securitySchemes"]["OperatorKey"]["name"] == "X-Operator-Key"
    for method, path in expected:
        where = path.format(letter_id=uuid4(), sku="rosin", customer_id="ann", key_id="0" * 64, order_id=uuid4())
        for headers in ({}, {"X-Operator-Key": ""}, {"X-Operator-Key": "operato"}, {"X-Operator-Key": "operator2"}):
            is_problem(await actor.http.request(method, where, headers=headers), 403)
        assert (await actor.http.request(method, where, headers=KEY)).status_code != 403


async def test_a_receipt_is_recorded_with_what_it_did(stage: Stage) -> None:
    """Once, however often it is asked for; one that is refused is not."""
    actor = await stage.start("inventory")
    headers = KEY | {"Idempotency-Key": "monday"}
    for quantity, status in ((5, 201), (5, 201), (6, 422)):
        answer = await actor.http.post("/stock/rosin/receipts", json={"quantity": quantity}, headers=headers)
        assert answer.status_code == status
    card = KEY | {"Idempotency-Key": "4111 1111 1111 1111"}
    is_problem(await actor.http.post("/stock/rosin/receipts", json={"quantity": 5}, headers=card), 422)
    ((action, about, details),) = await acts(actor)
    assert (action, about, details["key"]) == ("receipt", "POST /stock/rosin/receipts", "monday")
    logged = await stage.auditor.value("SELECT causation_id FROM inventory_service.events")
    assert details["event_id"] == str(logged)


async def test_the_record_is_read_page_by_page(stage: Stage) -> None:
    """The newest first."""
    actor = await stage.start("inventory")
    for number in range(3):
        headers = KEY | {"Idempotency-Key": str(number)}
        await actor.http.post("/stock/rosin/receipts", json={"quantity": 1}, headers=headers)
    first = (await actor.http.get("/operator-actions", params={"limit": 2}, headers=KEY)).json()
    rest = (await actor.http.get("/operator-actions", params={"before": first["next"]}, headers=KEY)).json()
    assert [act["details"]["key"] for act in (*first["actions"], *rest["actions"])] == ["2", "1", "0"]
    assert rest["next"] is None


async def test_the_record_cannot_be_changed_by_the_service(stage: Stage) -> None:
    """Its own role may add to it, and nothing else."""
    allowed = await stage.auditor.rows(
        "SELECT privilege_type FROM information_schema.role_table_grants"
        " WHERE table_name = 'operator_actions' AND grantee = 'payment_service'"
    )
    assert {row["privilege_type"] for row in allowed} == {"SELECT", "INSERT"}
