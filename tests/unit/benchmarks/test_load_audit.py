"""The adding up finds every planted error, and nothing where there is none."""

from dataclasses import replace

import pytest

from benchmarks.load.audit import Books, discrepancies
from tests.unit.benchmarks.builders import AFTER, BEFORE, RECEIVED, TOLD, with_money, with_order, with_stock


def found(after: Books) -> list[str]:
    """Add up."""
    return discrepancies(TOLD, BEFORE, RECEIVED, after)


def test_books_that_agree_are_not_complained_about() -> None:
    """Sold is what was confirmed, kept is what was sold."""
    assert found(AFTER) == []


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (with_money("c", 450, 0), "order c is cancelled (customer_request): the provider captured 450 and refunded 0"),
        (with_money("a", 0, 0), "order a is confirmed: the provider captured 0"),
        (with_money("a", 1800, 0), "which leaves 1,800, not 900"),
        (with_money("a", 900, 900), "captured 900 and refunded 900, which leaves 0, not 900"),
        (with_money("b", 450, 0), "order b is cancelled (payment_declined)"),
        (with_money("stranger", 1, 0), "stranger, which is no order of this run"),
        (with_money("stranger", 0, 0), "stranger, which is no order of this run"),
        (with_stock(sold=6, available=9), "stock of bow: sold is 6, not 5"),
        (with_stock(available=-1), "stock of bow: available is -1, not 10"),
        (with_stock(reserved=1, available=9), "stock of bow: reserved is 1, not 0"),
        (with_stock(received=16), "stock of bow: received is 16, not 15"),
        (replace(AFTER, stock={}), "stock of bow: sold is 0, not 5"),
        (with_order("b", reason="deadline_passed"), "order b (declined) ended as cancelled (deadline_passed)"),
        (with_order("b", status="confirmed", reason=None), "order b (declined) ended as confirmed"),
        (with_order("a", settled=False), "order a (confirmed) is not settled"),
    ],
)
def test_a_planted_error_is_named(after: Books, told: str) -> None:
    """What is off stands in a line of its own."""
    assert [line for line in found(after) if told in line]


def test_an_order_that_vanished_is_named() -> None:
    """A 201 is a promise."""
    without = {order_id: order for order_id, order in AFTER.orders.items() if order_id != "b"}
    assert "order b (declined) was answered 201, and is not there" in found(replace(AFTER, orders=without))


def test_an_order_placed_twice_is_named_unless_its_customer_got_no_answer() -> None:
    """An Idempotency-Key that failed shows as an order that nobody knows of."""
    twice = replace(AFTER, orders={**AFTER.orders, "b2": AFTER.orders["b"]})
    assert "1 orders are there that no customer was told of (b2)" in found(twice)[0]
    assert discrepancies(replace(TOLD, unanswered=1), BEFORE, RECEIVED, twice) == []


def test_an_order_whose_customer_gave_up_may_end_in_any_way_but_must_end() -> None:
    """A customer who never came to cancel has an order that is confirmed."""
    gave_up = replace(TOLD, gave_up={"b"})
    ended, pending = with_order("b", reason="deadline_passed"), with_order("b", settled=False)
    assert discrepancies(gave_up, BEFORE, RECEIVED, ended) == []
    assert "is not settled" in discrepancies(gave_up, BEFORE, RECEIVED, pending)[0]
