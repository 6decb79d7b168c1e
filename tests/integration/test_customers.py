"""Customers' keys: each opens what is its customer's own, and what is another's is not even told to be there."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio
from fastapi.security import HTTPAuthorizationCredentials

from scripts.seed import introduce
from services.order import callers
from services.order.keys import DEVELOPMENT, draw, hash_of
from services.order.settings import OrderSettings
from shared.http.problems import ProblemError
from tests.integration.asking import ANN, BODY, ask, ask_to_cancel, is_problem
from tests.integration.stage import AS_OPERATOR, Actor, Stage
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.once]

BEN = "ben"
NOBODY = "/orders/01890000-0000-7000-8000-000000000000"
LONG_S = 30.0
"""The longest that somebody may wait for an order."""
PROMPT_S = 10.0
Asking = Callable[[Mapping[str, Any]], Awaitable[httpx.Response]]


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order with its catalogue, which looks a key up each time."""
    await stage.offer()
    return await stage.start("order", key_max_age_s=0)


def bearing(key: str) -> dict[str, str]:
    """Give the header that shows a key."""
    return {"Authorization": f"Bearer {key}"}


def is_unknown(answer: httpx.Response) -> None:
    """Insist on 401, with the scheme that would help (RFC 9110)."""
    is_problem(answer, 401)
    assert answer.headers["www-authenticate"].startswith("Bearer")


def customers_ways(order: Actor, location: str) -> dict[str, Asking]:
    """Give all that a customer can ask for."""
    http, keyed = order.http, {"Idempotency-Key": "key"}
    return {
        "place": lambda who: http.post("/orders", json=BODY, headers={**keyed, **who}),
        "cancel": lambda who: http.post(f"{location}/cancel", headers={**keyed, **who}),
        "list": lambda who: http.get("/orders", headers=who),
        "read": lambda who: http.get(location, headers=who),
        "wait": lambda who: http.get(f"{location}?wait={LONG_S}", headers=who),
    }


async def test_without_a_good_key_nothing_opens(order: Actor, stage: Stage) -> None:
    """None, a malformed, an unknown or another scheme's, and a wrong key of the operator's; and nothing happens."""
    location = (await ask(order, "first")).headers["location"]
    good = (await order.as_customer(ANN))["Authorization"].removeprefix("Bearer ")
    wrong: list[dict[str, Any]] = [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": good},
        {"Authorization": f"Basic {good}"},
        bearing(f"{good}x"),
        bearing(hash_of(good).hex()),
        {"Authorization": "Bearer ключ".encode()},
        {"X-Operator-Key": "wrong"},
        {"X-Operator-Key": good},
        bearing(AS_OPERATOR["X-Operator-Key"]),
        {"Authorization": f"Basic {good}", **AS_OPERATOR},
        bearing(f"{good}x") | AS_OPERATOR,
    ]
    for way in customers_ways(order, location).values():
        for headers in wrong:
            is_unknown(await way(headers))
    assert await stage.auditor.count("order_service.orders", "status = 'pending'") == 1


async def test_the_operator_reads_everything_and_orders_nothing(order: Actor) -> None:
    """Nor cancels: that is the customer's alone."""
    placed = [(await ask(order, "key", who)).headers["location"] for who in (ANN, BEN)]
    ways = customers_ways(order, placed[0])
    for name in ("place", "cancel"):
        is_unknown(await ways[name](AS_OPERATOR))
    listed = (await ways["list"](AS_OPERATOR)).json()["orders"]
    assert {one["location"] for one in listed} == set(placed)
    for location in placed:
        assert (await order.http.get(location, headers=AS_OPERATOR)).status_code == 200


async def test_anothers_order_is_as_one_that_is_not_there(order: Actor) -> None:
    """Reading, waiting and cancelling are answered word for word the same, and waiting as soon."""
    location = (await ask(order, "key", ANN)).headers["location"]
    theirs, nobodys = customers_ways(order, location), customers_ways(order, NOBODY)
    ben = await order.as_customer(BEN)
    began_s = time.monotonic()
    for name in ("read", "wait", "cancel"):
        strange, missing = await theirs[name](ben), await nobodys[name](ben)
        is_problem(strange, 404)
        assert strange.json() == missing.json()
    assert time.monotonic() - began_s < PROMPT_S < LONG_S
    assert (await order.http.get(location, headers=await order.as_customer(ANN))).json()["status"] == "pending"


async def test_a_strangers_wait_takes_nothing_from_the_customers(order: Actor) -> None:
    """Who waits for their own order goes on waiting when a stranger is turned away, and is told of its change."""
    location = (await ask(order, "key", ANN)).headers["location"]
    ways, ann = customers_ways(order, location), await order.as_customer(ANN)
    waiting = asyncio.create_task(order.http.get(f"{location}?wait=1", headers=ann))
    is_problem(await ways["wait"](await order.as_customer(BEN)), 404)
    assert not waiting.done()
    assert (await waiting).json()["customer_id"] == ANN


async def test_a_list_holds_ones_own(order: Actor) -> None:
    """Whatever it is narrowed to: another's name makes it empty, not another's."""
    for who in (ANN, BEN):
        for number in range(2):
            await ask(order, f"key-{number}", who)
    ben = await order.as_customer(BEN)
    for query, count in (("", 2), ("?status=pending", 2), ("?customer_id=ben", 2), ("?customer_id=ann", 0)):
        listed = (await order.http.get(f"/orders{query}", headers=ben)).json()["orders"]
        assert [one["customer_id"] for one in listed] == [BEN] * count


async def test_two_customers_never_meet_under_one_idempotency_key(order: Actor, stage: Stage) -> None:
    """Each has an order of their own, and neither is shown the other's answer, whatever the other asked for."""
    other = {"lines": [{"sku": "rosin", "quantity": 2}]}
    first = [await ask(order, "key", ANN), await ask(order, "key", BEN, **other)]
    again = [await ask(order, "key", ANN), await ask(order, "key", BEN, **other)]
    assert [answer.status_code for answer in first + again] == [201] * 4
    assert [answer.json()["customer_id"] for answer in first] == [ANN, BEN]
    assert [answer.json() for answer in again] == [answer.json() for answer in first]
    assert await stage.auditor.count("order_service.orders") == 2


async def test_a_key_is_told_once_and_kept_nowhere(order: Actor, stage: Stage) -> None:
    """Not in a table of order's, and not in what an operator is shown; its hash is."""
    issued = (await order.http.post("/customers/ann/keys", headers=AS_OPERATOR)).json()
    tables = await stage.auditor.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'order_service'")
    for row in tables:
        table = f"order_service.{row['tablename']}"
        assert await stage.auditor.count(f"{table} AS one", "strpos(one::text, $1) > 0", issued["key"]) == 0, table
    listed = await order.http.get("/customers/ann/keys", headers=AS_OPERATOR)
    assert [one["key_id"] for one in listed.json()["keys"]] == [issued["key_id"]] == [hash_of(issued["key"]).hex()]
    assert issued["key"] not in listed.text


async def test_a_revoked_key_opens_nothing(order: Actor, stage: Stage) -> None:
    """Only its own customer's name revokes it, once; the customer's other key goes on, and all is recorded."""
    ours = [(await order.http.post("/customers/ann/keys", headers=AS_OPERATOR)).json() for _ in range(2)]
    key, path = ours[0]["key"], f"keys/{ours[0]['key_id']}"
    is_problem(await order.http.delete(f"/customers/ben/{path}", headers=AS_OPERATOR), 404)
    assert (await order.http.get("/orders", headers=bearing(key))).status_code == 200
    assert (await order.http.delete(f"/customers/ann/{path}", headers=AS_OPERATOR)).status_code == 204
    is_unknown(await order.http.get("/orders", headers=bearing(key)))
    is_problem(await order.http.delete(f"/customers/ann/{path}", headers=AS_OPERATOR), 404)
    assert (await order.http.get("/orders", headers=bearing(ours[1]["key"]))).status_code == 200
    listed = (await order.http.get("/customers/ann/keys", headers=AS_OPERATOR)).json()["keys"]
    assert [(one["key_id"], one["revoked_at"] is None) for one in listed] == [
        (ours[1]["key_id"], True),
        (ours[0]["key_id"], False),
    ]
    recorded = await stage.auditor.rows("SELECT action, about FROM order_service.operator_actions ORDER BY position")
    assert [tuple(row) for row in recorded] == [("key issued", "ann")] * 2 + [("key revoked", "ann")]


async def test_a_revocation_takes_effect_within_the_bound(stage: Stage) -> None:
    """A replica that has just looked the key up knows it for so long, and no longer."""
    await stage.offer()
    slow, quick = await stage.start("order", key_max_age_s=300), await stage.start("order", key_max_age_s=0.2)
    key = await slow.as_customer(ANN)
    for replica in (slow, quick):
        assert (await replica.http.get("/orders", headers=key)).status_code == 200
    key_id = hash_of(key["Authorization"].removeprefix("Bearer ")).hex()
    assert (await slow.http.delete(f"/customers/ann/keys/{key_id}", headers=AS_OPERATOR)).status_code == 204

    async def refused() -> None:
        assert (await quick.http.get("/orders", headers=key)).status_code == 401

    await eventually(refused)
    assert (await slow.http.get("/orders", headers=key)).status_code == 200


async def test_so_many_keys_are_known_at_once(order: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more, and the one looked up longest ago is forgotten: it is looked up again. Unknown ones are not kept."""
    monkeypatch.setattr(callers, "KNOWN_MAX_KEYS", 2)
    known = callers.Callers(
        order.runtime.engine,
        OrderSettings(database_url="", broker_url="", http_port=1, operator_key="key", key_max_age_s=300),
    )
    names = ["a", "b", "c", "a"]
    for name in names:
        key = (await order.as_customer(name))["Authorization"].removeprefix("Bearer ")
        assert await known.customer(HTTPAuthorizationCredentials(scheme="Bearer", credentials=key)) == name
        with pytest.raises(ProblemError):
            await known.customer(HTTPAuthorizationCredentials(scheme="Bearer", credentials="guessed"))
    assert [customer_id for customer_id, _ in known._known.values()] == ["c", "a"]


@pytest.mark.parametrize(("environment", "opens"), [("development", True), ("production", False), (None, False)])
async def test_development_keys_open_nothing_elsewhere(stage: Stage, environment: str | None, opens: bool) -> None:
    """Those that `make up` draws; a service that is not told where it is takes itself to be in production."""
    told = {} if environment is None else {"environment": environment}
    order = await stage.start("order", **told)
    key = draw(DEVELOPMENT)
    for _ in range(2):  # seeding again changes nothing
        await introduce(stage.servers.database_url("order_migrator"), {ANN: key})
    answer = await order.http.get("/orders", headers=bearing(key))
    if opens:
        assert answer.status_code == 200
    else:
        is_unknown(answer)
    assert (await order.http.get("/orders", headers=await order.as_customer(ANN))).status_code == 200


async def test_only_the_operator_issues_lists_and_revokes(order: Actor, stage: Stage) -> None:
    """A customer does not even for themselves."""
    ann = await order.as_customer(ANN)
    path = f"/customers/{ANN}/keys"
    for headers in ({}, ann, {"X-Operator-Key": ""}, {"X-Operator-Key": "wrong"}):
        is_problem(await order.http.post(path, headers=headers), 403)
        is_problem(await order.http.get(path, headers=headers), 403)
        is_problem(await order.http.delete(f"{path}/{'0' * 64}", headers=headers), 403)
    assert await stage.auditor.count("order_service.api_keys") == 1


async def test_cancelling_is_the_customers(order: Actor) -> None:
    """Their own pending order, under their key."""
    location = (await ask(order, "key", BEN)).headers["location"]
    assert (await ask_to_cancel(order, location, BEN)).json()["status"] == "cancelled"
