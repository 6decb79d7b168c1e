"""The picture of a run: what an order costs and takes, beside the floor of the machine."""

from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from benchmarks.dance.results import Round, Spread

mpl.use("svg")
mpl.rcParams |= {"svg.hashsalt": "quartet", "font.size": 10, "axes.spines.top": False, "axes.spines.right": False}

PYTHON, POSTGRES, RABBITMQ, FLOOR = "#4063a3", "#7fb069", "#e6a444", "#b8b8b8"


def draw(rounds: list[Round], path: Path) -> None:
    """Write an SVG."""
    figure, (rates, cost, latency) = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
    _rates(rates, rounds)
    _cost(cost, rounds)
    _latency(latency, rounds)
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def _rates(axes: Axes, rounds: list[Round]) -> None:
    bars = {
        "one by one": Spread.of(r.one_by_one.orders_per_s for r in rounds),
        "batched": Spread.of(r.batched.orders_per_s for r in rounds),
        "floor:\ntransactions alone": Spread.of(r.floor.orders_per_s for r in rounds),
    }
    _bars(axes, bars, [PYTHON, PYTHON, FLOOR])
    axes.set_title("orders settled each second")


def _cost(axes: Axes, rounds: list[Round]) -> None:
    bottom = 0.0
    for part, name, colour in (
        ("python", "Python", PYTHON), ("postgres", "PostgreSQL", POSTGRES), ("rabbitmq", "RabbitMQ", RABBITMQ)
    ):  # fmt: skip
        height = Spread.of(r.batched.cpu_ms[part] for r in rounds).median
        axes.bar(["batched"], [height], bottom=bottom, color=colour, label=f"{name} {height:.2f}", width=0.4)
        bottom += height
    axes.set_xlim(-0.4, 1.4)  # room for the legend beside it
    axes.set_title("processor time of an order, ms")
    axes.legend(frameon=False, loc="upper right")


def _latency(axes: Axes, rounds: list[Round]) -> None:
    bars = {
        "floor": Spread.of(r.floor.idle_ms for r in rounds),
        "idle\np50": Spread.of(r.batched.idle.p50_ms for r in rounds),
        "idle\np99": Spread.of(r.batched.idle.p99_ms for r in rounds),
        "half load\np50": Spread.of(r.batched.half.p50_ms for r in rounds),
        "half load\np99": Spread.of(r.batched.half.p99_ms for r in rounds),
    }
    _bars(axes, bars, [FLOOR, *[PYTHON] * 4])
    axes.set_title("from placed to settled, ms")


def _bars(axes: Axes, bars: dict[str, Spread], colours: list[str]) -> None:
    heights = [spread.median for spread in bars.values()]
    below = [spread.median - spread.least for spread in bars.values()]
    above = [spread.most - spread.median for spread in bars.values()]
    drawn = axes.bar(list(bars), heights, yerr=[below, above], color=colours, capsize=4, width=0.6)
    axes.bar_label(drawn, [f"{height:,.0f}" for height in heights], padding=4)
    axes.margins(y=0.15)
