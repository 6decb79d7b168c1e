"""Lists in pages: each order once, the newest first, however much is placed in between."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio

from tests.integration.asking import ask, ask_to_cancel, is_problem
from tests.integration.stage import AS_OPERATOR, Actor, Stage

pytestmark = [pytest.mark.integration, pytest.mark.once]

ORDERS = 37
PAGE = 5


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order with its catalogue."""
    await stage.offer()
    return await stage.start("order")


async def place(order: Actor, count: int, customer_id: str) -> set[str]:
    """Place orders of one customer, all at once."""
    answers = await asyncio.gather(*(ask(order, f"{customer_id}-{number}", who=customer_id) for number in range(count)))
    return {answer.json()["order_id"] for answer in answers}


async def pages(order: Actor, limit: int, **filters: str) -> list[list[dict[str, Any]]]:
    """Read all pages of the list; one more order is placed while each is read."""
    found: list[list[dict[str, Any]]] = []
    following: dict[str, str] = {}
    while True:
        answer = await order.http.get("/orders", params={"limit": limit, **filters, **following}, headers=AS_OPERATOR)
        assert answer.status_code == 200
        page = answer.json()
        found.append(page["orders"])
        if page["next"] is None:
            return found
        following = {"before": page["next"]}
        assert (await ask(order, f"late-{len(found)}", "late")).status_code == 201


async def test_the_pages_hold_every_order_once_and_the_newest_first(order: Actor) -> None:
    """What is placed while somebody turns the pages moves nothing on to the next."""
    placed = await place(order, ORDERS, "ann")
    found = [one["order_id"] for page in await pages(order, PAGE) for one in page]
    assert sorted(found, reverse=True) == found
    assert len(set(found)) == len(found)
    assert set(found) == placed


@pytest.mark.parametrize("limit", [1, PAGE, 7, 200])
async def test_the_last_page_says_so(order: Actor, limit: int) -> None:
    """Whether it is full, short or empty."""
    placed = await place(order, PAGE, "ann")
    found = await pages(order, limit, customer_id="ann")
    assert {one["order_id"] for page in found for one in page} == placed
    assert all(len(page) == limit for page in found[:-1])
    assert len(found[-1]) < limit


async def test_a_list_can_be_narrowed(order: Actor) -> None:
    """By customer and by status, in pages of their own."""
    anns, bobs = await place(order, PAGE + 1, "ann"), await place(order, PAGE + 1, "bob")
    gone = sorted(bobs)[:2]
    for order_id in gone:
        assert (await ask_to_cancel(order, f"/orders/{order_id}", "bob")).status_code == 200
    assert ids(await pages(order, 2, customer_id="ann")) == anns
    assert ids(await pages(order, 2, customer_id="bob", status="cancelled")) == set(gone)
    assert ids(await pages(order, 2, customer_id="bob", status="pending")) == bobs - set(gone)
    assert ids(await pages(order, 2, customer_id="nobody")) == set()


async def test_a_page_has_its_bounds(order: Actor) -> None:
    """Neither none nor endlessly many, and only statuses that there are."""
    for query in ("limit=0", "limit=201", "limit=x", "before=x", "status=lost", "customer_id="):
        is_problem(await order.http.get(f"/orders?{query}", headers=AS_OPERATOR), 422)


def ids(found: list[list[dict[str, Any]]]) -> set[str]:
    """Give the ids on all pages, each of which stands there once."""
    flat = [one["order_id"] for page in found for one in page]
    assert len(set(flat)) == len(flat)
    return set(flat)
