"""What a bench reports: medians with their spread, ratios within a round, and a verdict on each target."""

from benchmarks.dance.floor import Floor
from benchmarks.dance.measure import Measured
from benchmarks.dance.results import Round, Row, Spread, document_of, rows_of
from benchmarks.percentiles import Latency

FLOOR = Floor(fsync_ms=0.2, transaction_ms=1.0, hop_ms=0.6, events_per_s=40_000, messages_per_s=2_000)
"""An order's own commits and hops: 7 × 1.0 + 5 × 0.6 = 10 ms."""


def measured(orders_per_s: float, p50_ms: float = 12, p99_ms: float = 25) -> Measured:
    latency = Latency(100, p50_ms, p99_ms, p99_ms, p99_ms)
    cpu_ms = {"python": 0.6, "postgres": 0.3, "rabbitmq": 0.05}
    return Measured(orders_per_s, cpu_ms, latency, latency, orders_per_s / 2)


def row(name: str, *rounds: Round) -> Row:
    (found,) = (one for one in rows_of(list(rounds)) if one.name == name)
    return found


def test_ratios_are_taken_within_a_round() -> None:
    """A slow round is slow in both parts of a ratio: the ratio's spread is that of the rounds' own ratios."""
    slow, quick = Round(FLOOR, measured(1_000), measured(50)), Round(FLOOR, measured(3_000), measured(100))
    assert row("batches are worth", slow, quick).value == Spread(25.0, 20.0, 30.0)


def test_a_target_is_met_or_missed() -> None:
    """Each verdict follows from the median: at least for a rate, at most for a cost and a latency."""
    good, bad = Round(FLOOR, measured(2_500), measured(100)), Round(FLOOR, measured(900, 40, 90), measured(100))
    names = [
        "orders settled",
        "batches are worth",
        "… p50 over the order's own commits and hops",
        "… p99 over the same",
    ]
    assert [row(name, good).met for name in names] == [True] * 4
    assert [row(name, bad).met for name in names] == [False] * 4
    assert row("processor time of an order", good).value.median == 0.95


def test_the_floor_of_an_order() -> None:
    """Its own commits and hops one after the other; its reactions, when only transactions count."""
    assert FLOOR.idle_ms == 10.0
    assert FLOOR.orders_per_s == 4_000


def test_the_document_has_every_round() -> None:
    """Whoever doubts a median finds what it was made of."""
    told = document_of([Round(FLOOR, measured(2_000), measured(100))] * 3, {"cores": 2})
    assert len(told["rounds"]) == 3
    assert told["rounds"][0]["batched"]["orders_per_s"] == 2_000
    assert {"name", "unit", "value", "target", "met"} == set(told["figures"][0])
