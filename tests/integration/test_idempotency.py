"""Idempotency keys over several replicas: one order and one answer for each key, whoever is asked and how often."""

import asyncio

import pytest
import pytest_asyncio

from tests.integration.asking import ask, ask_to_cancel, is_problem
from tests.integration.stage import Actor, Stage

pytestmark = pytest.mark.integration

ROUNDS = 15


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """One replica of order, with a catalogue."""
    await stage.offer()
    return await stage.start("order")


@pytest_asyncio.fixture
async def other(order: Actor, stage: Stage) -> Actor:
    """Another replica of order."""
    return await stage.start("order")


async def orders(stage: Stage) -> int:
    """Count the orders, and insist that each was placed once."""
    count = await stage.auditor.count("order_service.orders")
    assert await stage.auditor.count("order_service.events", "type = 'order.placed.v1'") == count
    return count


async def test_the_same_key_at_once_at_two_replicas(order: Actor, other: Actor, stage: Stage) -> None:
    """Both callers are told of the same order, and there is no second."""
    for number in range(ROUNDS):
        one, two = await asyncio.gather(ask(order, f"key-{number}"), ask(other, f"key-{number}"))
        assert one.status_code == two.status_code == 201, (one.text, two.text)
        assert one.json() == two.json()
        assert one.headers["location"] == two.headers["location"]
        assert await orders(stage) == number + 1


async def test_the_same_request_again_is_answered_as_the_first(order: Actor, other: Actor, stage: Stage) -> None:
    """By the same replica, by another, and when the order has long moved on."""
    first = await ask(order, "key")
    assert (await ask_to_cancel(order, first.headers["location"])).json()["status"] == "cancelled"
    for replica in (order, other):
        again = await ask(replica, "key")
        assert again.status_code == 201
        assert again.json() == first.json()
    assert await orders(stage) == 1


async def test_a_key_stands_for_one_body(order: Actor, other: Actor, stage: Stage) -> None:
    """With another body it is refused, at every replica."""
    await ask(order, "key")
    for replica in (order, other):
        is_problem(await ask(replica, "key", lines=[{"sku": "bow", "quantity": 2}]), 422)
    assert await orders(stage) == 1


async def test_customers_do_not_share_keys(order: Actor, other: Actor, stage: Stage) -> None:
    """What one customer calls "key" says nothing about another's, one after the other and at once at two replicas.

    Safeguard: a key is unique for its caller, not for all.
    """
    one, two = await ask(order, "key"), await ask(order, "key", who="bob")
    async with stage.auditor.held("LOCK TABLE order_service.requests"):
        both = [asyncio.create_task(ask(at, "new", who=who)) for at, who in ((order, "ann"), (other, "bob"))]
        await stage.auditor.waiting("order_service", 2)
    answers = [one, two, *await asyncio.gather(*both)]
    assert [answer.json()["customer_id"] for answer in answers] == ["ann", "bob", "ann", "bob"]
    assert len({answer.json()["order_id"] for answer in answers}) == await orders(stage) == len(answers)


async def test_a_key_is_needed(order: Actor, stage: Stage) -> None:
    """Without one nothing is placed."""
    is_problem(await ask(order), 400)
    assert await orders(stage) == 0


async def test_while_the_first_is_in_flight_the_second_is_turned_away(order: Actor, stage: Stage) -> None:
    """It is told to come back, and later gets the first one's answer."""
    async with stage.auditor.held("LOCK TABLE order_service.requests"):
        first = asyncio.create_task(ask(order, "key"))
        await stage.auditor.waiting("order_service")
        is_problem(await ask(order, "key"), 409)
        assert not first.done()
    placed = await first
    assert placed.status_code == 201
    assert (await ask(order, "key")).json() == placed.json()
    assert await orders(stage) == 1


async def test_a_cancellation_is_answered_again_under_its_key(order: Actor, other: Actor, stage: Stage) -> None:
    """The same key at both replicas at once cancels once."""
    location = (await ask(order, "key")).headers["location"]
    answers = await asyncio.gather(
        *(ask_to_cancel(replica, location, **{"Idempotency-Key": "cancel"}) for replica in (order, other))
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()
    assert await stage.auditor.count("order_service.events", "type = 'order.cancelled.v1'") == 1
    assert await stage.auditor.count("order_service.requests") == 2
