"""The plan: seeded, bounded, open."""

import itertools
import statistics
from collections import Counter

import pytest

from benchmarks.load.kinds import KINDS, PLENTY, SCARCE
from benchmarks.load.plan import ORDERS_MAX, RATE_MAX, SECONDS_MAX, demand, draw

ARRIVALS = draw(rate=300, seconds=60, seed=7, scarce_quantity=2)


def test_as_many_arrive_as_the_rate_says_in_order_and_in_time() -> None:
    """Rate times seconds, all within the seconds."""
    times_s = [arrival.at_s for arrival in ARRIVALS]
    assert len(times_s) == 18_000
    assert times_s == sorted(times_s)
    assert times_s[0] >= 0
    assert times_s[-1] < 60


def test_arrivals_are_independent_of_each_other() -> None:
    """The gaps of a Poisson process have the same mean and deviation; a regular beat would have no deviation."""
    gaps_s = [after.at_s - before.at_s for before, after in itertools.pairwise(ARRIVALS)]
    assert statistics.mean(gaps_s) == pytest.approx(1 / 300, rel=0.02)
    assert statistics.stdev(gaps_s) == pytest.approx(1 / 300, rel=0.05)


def test_the_seed_decides_everything() -> None:
    """The same seed draws the same run, another one another."""
    assert draw(50, 10, 3, 2) == draw(50, 10, 3, 2)
    assert draw(50, 10, 3, 2) != draw(50, 10, 4, 2)


def test_every_kind_comes_as_often_as_its_share() -> None:
    """Seventy in a hundred are confirmed, and so on."""
    counts, shares = Counter(arrival.kind.name for arrival in ARRIVALS), sum(kind.share for kind in KINDS)
    for kind in KINDS:
        assert counts[kind.name] / len(ARRIVALS) == pytest.approx(kind.share / shares, rel=0.15)
        assert {arrival.token for arrival in ARRIVALS if arrival.kind is kind} == set(kind.tokens)


def test_only_orders_that_must_run_out_ask_for_what_is_scarce_and_for_other_goods_besides() -> None:
    """Reserving every line or none is then put to the test, too."""
    for arrival in ARRIVALS:
        assert (arrival.quantities.get(SCARCE) == 2) is arrival.kind.scarce
        assert arrival.quantities.keys() & set(PLENTY)


def test_the_demand_is_of_all_plentiful_goods_together() -> None:
    """What is brought covers everything being held at once."""
    wanted = demand(ARRIVALS)
    assert wanted.keys() == set(PLENTY)
    assert wanted["bow"] == sum(arrival.quantities.get("bow", 0) for arrival in ARRIVALS)


@pytest.mark.parametrize(
    ("rate", "seconds"),
    [
        (0, 10),
        (-1, 10),
        (float("nan"), 10),
        (RATE_MAX + 1, 1),
        (1, 0),
        (1, SECONDS_MAX + 1),
        (1, float("inf")),
        (0.01, 1),
        (ORDERS_MAX / SECONDS_MAX + 1, SECONDS_MAX),
    ],
)
def test_a_run_beyond_the_bounds_is_refused(rate: float, seconds: float) -> None:
    """With a sentence."""
    with pytest.raises(ValueError, match="must be"):
        draw(rate, seconds, 1, 2)
