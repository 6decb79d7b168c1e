"""All rounds of a run put together: medians with their spread, ratios taken within a round, where noise is shared."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from benchmarks.dance.floor import Floor
from benchmarks.dance.measure import Measured


@dataclass(frozen=True, slots=True)
class Round:
    """What was measured one right after the other."""

    floor: Floor
    batched: Measured
    one_by_one: Measured


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle of some values, the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Sum them up."""
        known = sorted(values)
        return cls(median(known), known[0], known[-1])

    def __str__(self) -> str:
        """Such as `1.52 (1.40–1.61)`."""
        return f"{_short(self.median)} ({_short(self.least)}–{_short(self.most)})"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure, and what was asked of it."""

    name: str
    unit: str
    value: Spread
    target: str = ""
    met: bool | None = None


def rows_of(rounds: list[Round]) -> list[Row]:
    """Give every figure that is reported."""

    def spread(figure: Callable[[Round], float]) -> Spread:
        return Spread.of(map(figure, rounds))

    def at_least(name: str, unit: str, figure: Callable[[Round], float], least: float) -> Row:
        value = spread(figure)
        return Row(name, unit, value, f"≥ {least:g}", value.median >= least)

    def at_most(name: str, unit: str, figure: Callable[[Round], float], most: float) -> Row:
        value = spread(figure)
        return Row(name, unit, value, f"≤ {most:g}", value.median <= most)

    return [
        at_least("orders settled", "/s", lambda r: r.batched.orders_per_s, 2_000),
        Row(
            "… of what the transactions alone allow",
            "",
            spread(lambda r: r.batched.orders_per_s / r.floor.orders_per_s),
        ),
        at_most("processor time of an order", "ms", lambda r: r.batched.cpu_ms_in_all, 1),
        *(
            Row(f"… of it {name}", "ms", spread(lambda r, part=part: r.batched.cpu_ms[part]))  # type: ignore[misc]  # mypy cannot infer a lambda's default
            for part, name in (("python", "Python"), ("postgres", "PostgreSQL"), ("rabbitmq", "RabbitMQ"))
        ),
        Row("orders settled, one by one", "/s", spread(lambda r: r.one_by_one.orders_per_s)),
        at_least("batches are worth", "×", lambda r: r.batched.orders_per_s / r.one_by_one.orders_per_s, 10),
        Row("idle (10/s), p50", "ms", spread(lambda r: r.batched.idle.p50_ms)),
        Row("idle (10/s), p99", "ms", spread(lambda r: r.batched.idle.p99_ms)),
        at_most(
            "… p50 over the order's own commits and hops", "×", lambda r: r.batched.idle.p50_ms / r.floor.idle_ms, 1.5
        ),
        at_most("… p99 over the same", "×", lambda r: r.batched.idle.p99_ms / r.floor.idle_ms, 3),
        Row("half load, p50", "ms", spread(lambda r: r.batched.half.p50_ms)),
        Row("half load, p99", "ms", spread(lambda r: r.batched.half.p99_ms)),
        Row("one by one, idle (10/s), p50", "ms", spread(lambda r: r.one_by_one.idle.p50_ms)),
        Row("one by one, idle (10/s), p99", "ms", spread(lambda r: r.one_by_one.idle.p99_ms)),
        Row("one by one, half load, p50", "ms", spread(lambda r: r.one_by_one.half.p50_ms)),
        Row("one by one, half load, p99", "ms", spread(lambda r: r.one_by_one.half.p99_ms)),
        Row("floor: fsync of a page", "ms", spread(lambda r: r.floor.fsync_ms)),
        Row("floor: a transaction of one event", "ms", spread(lambda r: r.floor.transaction_ms)),
        Row("floor: a hop over the broker", "ms", spread(lambda r: r.floor.hop_ms)),
        Row("floor: an order's own commits and hops", "ms", spread(lambda r: r.floor.idle_ms)),
        Row("floor: events in batches of 500", "/s", spread(lambda r: r.floor.events_per_s)),
        Row("floor: orders by that", "/s", spread(lambda r: r.floor.orders_per_s)),
        Row("floor: confirmed messages, delivered", "/s", spread(lambda r: r.floor.messages_per_s)),
    ]


def document_of(rounds: list[Round], machine: dict[str, Any]) -> dict[str, Any]:
    """Give everything as JSON."""
    return {
        "machine": machine,
        "figures": [asdict(row) for row in rows_of(rounds)],
        "rounds": [asdict(one) for one in rounds],
    }


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
