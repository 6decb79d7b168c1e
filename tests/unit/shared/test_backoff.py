"""Backoff: delays that double up to a bound, and jitter that is told, not drawn."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import Backoff, jittered
from tests.unit.shared.generated import SOME


@pytest.mark.parametrize(
    ("attempts", "delay_s"), [(1, 0.25), (2, 0.5), (3, 1.0), (4, 2.0), (5, 3.0), (6, 3.0), (10_000, 3.0)]
)
def test_doubles_up_to_the_most(attempts: int, delay_s: float) -> None:
    """The first delay, then twice as long each time, and never more than the most."""
    assert Backoff(first_s=0.25, most_s=3.0).delay_s(attempts) == delay_s


def test_delays_never_end() -> None:
    """The delays one after another are those of the attempts."""
    backoff = Backoff(first_s=0.05, most_s=5.0)
    assert list(islice(backoff.delays_s(), 100)) == [backoff.delay_s(attempts) for attempts in range(1, 101)]


@SOME
@given(st.floats(0.001, 10), st.floats(10, 1_000), st.integers(1, 10**9))
def test_bounds(first_s: float, most_s: float, attempts: int) -> None:
    """Whatever the attempt, the delay lies between the first and the most, and never shrinks."""
    backoff = Backoff(first_s, most_s)
    assert first_s <= backoff.delay_s(attempts) <= backoff.delay_s(attempts + 1) <= most_s


@SOME
@given(st.floats(0, 1e6), st.text())
def test_jitter_takes_a_quarter_at_most(delay: float, seed: str) -> None:
    """A jittered delay is never longer than asked for, and at least three quarters of it."""
    assert 0.75 * delay <= jittered(delay, seed) <= delay


def test_jitter_spreads_a_crowd() -> None:
    """Seeds that differ wait differently, all over the quarter; the same seed waits the same."""
    waits = [jittered(100, f"order {number}") for number in range(1_000)]
    assert waits == [jittered(100, f"order {number}") for number in range(1_000)]
    assert len(set(waits)) > 990
    assert min(waits) < 76
    assert max(waits) > 99
    assert 86 < sum(waits) / len(waits) < 89
