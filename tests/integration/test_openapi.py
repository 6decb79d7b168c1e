"""Each service keeps to its OpenAPI document, whatever it is asked, with a key and without: checked by schemathesis."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from infra.ports import SERVICES
from shared.ids import new_id
from shared.topology import lanes_of
from tests.integration.asking import ANN, BODY, ask
from tests.integration.served import served
from tests.integration.shop import LocalShop
from tests.integration.stage import AS_OPERATOR, PROGRAMS, Actor, Stage

pytestmark = [pytest.mark.integration, pytest.mark.once, pytest.mark.timeout(240)]

EXAMPLES = 6
"""Of each operation and caller, of right and wrong data."""
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.missing_required_header,
    checks.unsupported_method,
    checks.allow_header_conformance,
    checks.ignored_auth,
]
"""Not `positive_data_acceptance`: no schema can say which goods are in the catalogue. Nor those that follow links."""
REPEATABLE = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),  # slow, or filtering much: schemathesis makes the data, and it is bounded
)
LANES = {
    "order": "inventory.order.placed",
    "inventory": "payment.stock.reserved",
    "payment": "order.payment.captured",
    "notification": "notification.order.confirmed",
}
"""Of each service one that its log refills; notification publishes nothing, so this is another's to refill."""
REFUSED = {"notification": {"POST /refill"}}
Headers = Mapping[str, str]


def operations(url: str) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    """Read a service's document."""
    for found in schemathesis.openapi.from_url(f"{url}/openapi.json").get_all_operations():
        assert isinstance(found, Ok), found
        yield found.ok()


def explore(url: str, headers: Headers) -> int:
    """Ask for everything in every way; give how many questions that made."""
    asked = 0
    for operation in operations(url):
        keys = dict(headers) or None  # known while data is made: else a header counts as missing that is sent after all
        cases = st.one_of(*(operation.as_strategy(mode, headers=keys) for mode in GenerationMode))

        @REPEATABLE
        @given(case=cases)
        def ask_and_check(case: schemathesis.Case[Any]) -> None:
            nonlocal asked
            asked += 1
            case.call_and_validate(base_url=url, headers=dict(headers), checks=CHECKS)

        ask_and_check()
    return asked


@pytest.mark.parametrize("service", SERVICES)
async def test_whatever_it_is_asked(stage: Stage, service: str) -> None:
    """It answers as documented, and never with a mistake of its own: a stranger, the operator and a customer."""
    await stage.offer()
    actor = await stage.start(service)
    callers: list[Headers] = [{}, AS_OPERATOR]
    if service == "order":
        callers.append(await actor.as_customer(ANN))
    async with served(actor) as url:
        for headers in callers:
            assert await asyncio.to_thread(explore, url, headers)


async def test_what_is_right_is_answered_as_documented(stage: Stage, actors: dict[str, Actor]) -> None:
    """Every operation has a request that succeeds, with the success and the schema that its document names."""
    await stage.offer(bow=1)
    async with LocalShop(stage, actors) as shop:
        bought = await shop.bought({"bow": 1})
    rights = await right_requests(actors["order"], bought["order_id"])
    for name, actor in actors.items():
        right = rights[name] | operating(name, await dead_letter(stage, name))
        async with served(actor) as url:
            await asyncio.to_thread(answered_as_documented, name, url, right)


def answered_as_documented(service: str, url: str, rights: Mapping[str, dict[str, Any]]) -> None:
    """Make the right request of each operation; what a service has no use for, it must refuse."""
    found = {f"{one.method.upper()} {one.path}": one for one in operations(url)}
    assert found.keys() == rights.keys()
    for name, operation in found.items():
        case = operation.Case(**rights[name])
        answer = case.call_and_validate(base_url=url, checks=CHECKS)
        if name in REFUSED.get(service, ()):
            assert answer.status_code == 422, (name, answer.text)
            continue
        assert 200 <= answer.status_code < 300, (name, answer.text)
        assert str(answer.status_code) in operation.definition.raw["responses"], name


async def right_requests(order: Actor, order_id: str) -> Mapping[str, dict[str, dict[str, Any]]]:
    """Give a request for each operation of each service that must succeed; `order_id` is an order that was paid."""
    ann = await order.as_customer(ANN)
    mine = (await ask(order, "key")).json()["order_id"]
    issued = (await order.http.post("/customers/ben/keys", headers=AS_OPERATOR)).json()
    keyed = {"Idempotency-Key": str(new_id())}
    probes: dict[str, dict[str, Any]] = {"GET /livez": {}, "GET /readyz": {}, "GET /metrics": {}}
    keys = "/customers/{customer_id}/keys"
    operator = {"headers": AS_OPERATOR}
    return {
        "order": probes
        | {
            "POST /orders": {"headers": ann | keyed, "body": BODY, "media_type": "application/json"},
            "GET /orders": {"headers": ann},
            "GET /orders/{order_id}": {"headers": ann, "path_parameters": {"order_id": mine}},
            "POST /orders/{order_id}/cancel": {"headers": ann, "path_parameters": {"order_id": mine}},
            f"POST {keys}": operator | {"path_parameters": {"customer_id": "ben"}},
            f"GET {keys}": operator | {"path_parameters": {"customer_id": "ben"}},
            f"DELETE {keys}/{{key_id}}": operator
            | {"path_parameters": {"customer_id": "ben", "key_id": issued["key_id"]}},
        },
        "inventory": probes
        | {
            "GET /stock": {},
            "GET /stock/{sku}": {"path_parameters": {"sku": "bow"}},
            "POST /stock/{sku}/receipts": {
                "headers": AS_OPERATOR | keyed,
                "path_parameters": {"sku": "bow"},
                "body": {"quantity": 1},
                "media_type": "application/json",
            },
        },
        "payment": probes | {"GET /payments/{order_id}": operator | {"path_parameters": {"order_id": order_id}}},
        "notification": probes | {"GET /notifications": operator | {"query": {"order_id": order_id}}},
    }


def operating(service: str, letter_id: UUID) -> dict[str, dict[str, Any]]:
    """Give a right request for each of an operator's operations, which are the same everywhere."""
    key: dict[str, Any] = {"headers": AS_OPERATOR}
    json = key | {"media_type": "application/json"}
    by_id = {"letters": [str(letter_id)]}
    refill = {"lane": LANES[service], "since": datetime.now(UTC).isoformat()}
    return {
        "GET /dead-letters": key | {"query": {"error_class": "BrokenError", "limit": 1}},
        "GET /dead-letters/{letter_id}": key | {"path_parameters": {"letter_id": str(letter_id)}},
        "POST /dead-letters/replay": json | {"body": by_id | {"dry_run": True}},
        "POST /dead-letters/drop": json | {"body": by_id | {"dry_run": True, "why": "old"}},
        "GET /parked": key | {"query": {"limit": 1}},
        "POST /parked/release": json | {"body": {"all": True}},
        "POST /refill": json | {"body": refill},
        "GET /operator-actions": key | {"query": {"limit": 1}},
        "GET /events": key | {"query": {"limit": 1}},
        "GET /backlog": key,
        "POST /outcomes": json | {"body": {"events": [str(letter_id)]}},
        "GET /intents": key | {"query": {"order": str(letter_id)}},
    }


async def dead_letter(stage: Stage, service: str) -> UUID:
    """Put a letter on a service's pile, of one of its lanes, and give its id."""
    lane = next(lane.queue for lane in lanes_of(PROGRAMS[service].reactions))
    insert = f"""
        INSERT INTO {service}_service.dead_letters
            (letter_id, lane, body, error_class, reason, attempts, first_failed_at, last_failed_at)
        VALUES ($1, $2, '{{}}', 'BrokenError', 'broken', 4, now(), now())
    """  # noqa: S608 - ours
    letter_id = new_id()
    await stage.auditor.rows(insert, letter_id, lane)
    return letter_id
