"""What is drawn from a seed is drawn again from the same seed, and within its bounds."""

from collections import Counter
from itertools import islice

import pytest

from scripts.chaos.schedule import LINES_MAX, MANNERS, PLENTY, QUANTITY_MAX, SCARCE, arrivals, rounds

ORDERS = 2_000


def test_a_seed_draws_the_same_orders() -> None:
    """And another seed draws others."""
    assert list(arrivals(20, 50, "1")) == list(arrivals(20, 50, "1"))
    assert list(arrivals(20, 50, "1")) != list(arrivals(20, 50, "2"))


def test_orders_are_bounded_and_of_every_manner() -> None:
    """Each names a few SKUs; those that must be refused ask for more of one than there is."""
    drawn = list(arrivals(20, ORDERS, "1"))
    assert [arrival.number for arrival in drawn] == list(range(ORDERS))
    assert {arrival.token for arrival in drawn} == {manner.token for manner in MANNERS}
    assert any(arrival.cancels for arrival in drawn)
    for arrival in drawn:
        plentiful = {sku: count for sku, count in arrival.quantities.items() if sku in PLENTY}
        assert 1 <= len(plentiful) <= LINES_MAX
        assert all(1 <= count <= QUANTITY_MAX for count in plentiful.values())
        assert arrival.quantities in (plentiful, plentiful | SCARCE)


def test_the_rate_is_kept_on_average() -> None:
    """The gaps are those of a Poisson process."""
    drawn = list(arrivals(20, ORDERS, "1"))
    assert sum(arrival.after_s for arrival in drawn) / ORDERS == pytest.approx(1 / 20, rel=0.1)


def test_every_experiment_comes_before_any_comes_again() -> None:
    """In an order that the seed decides."""
    names = ["a", "b", "c", "d"]
    drawn = list(islice(rounds(names, 1), 12))
    assert all(Counter(drawn[at : at + 4]) == Counter(names) for at in (0, 4, 8))
    assert drawn == list(islice(rounds(names, 1), 12))
    assert {tuple(islice(rounds(names, seed), 4)) for seed in range(20)} != {tuple(drawn[:4])}


def test_nothing_is_drawn_from_nothing() -> None:
    """Rather than going on for ever."""
    assert list(rounds([], 1)) == []
