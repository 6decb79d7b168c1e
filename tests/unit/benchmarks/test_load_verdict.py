"""Percentiles, the verdict, and the report that tells them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.load.cpu import OURSELVES, Shares
from benchmarks.load.report import REPORTS_MAX, on_top, summary_html, write
from benchmarks.load.verdict import Run, sentences
from benchmarks.percentiles import Latency, nearest_rank
from tests.unit.benchmarks.builders import RUN


@pytest.mark.parametrize(
    ("count", "share", "value"),
    [(1, 0.5, 1), (2, 0.5, 1), (100, 0.99, 99), (101, 0.99, 100), (1000, 0.999, 999), (999, 0.999, 999), (10, 1.0, 10)],
)
def test_a_percentile_is_a_value_that_was_measured(count: int, share: float, value: int) -> None:
    """The smallest that so many are not above, by nearest rank."""
    assert nearest_rank(range(1, count + 1), share) == value


def test_latency_of_nothing_is_nothing() -> None:
    """Never a zero that nobody measured."""
    assert Latency.of([]) is None
    assert Latency.of([3.0, 1.0, 2.0]) == Latency(3, 2.0, 3.0, 3.0, 3.0)


@pytest.mark.parametrize(
    ("run", "succeeded", "told"),
    [
        (RUN, True, "100 orders/s held for 10 s"),
        (replace(RUN, off=["order a …"]), False, "OFF: 1 things"),
        (replace(RUN, given_up={"POST /orders: 503": 2}), False, "LOST: 2 orders"),
        (replace(RUN, held_up=1), False, "SATURATED at 100 orders/s: 1 arrivals had to wait"),
        (replace(RUN, in_flight_at_the_end=201), False, "SATURATED"),
        (replace(RUN, held_up=9, not_begun=3), False, "3 were never begun"),
        (replace(RUN, began_late=Latency(1000, 1.0, 250.0, 300.0, 300.0)), True, "one order in a hundred 250 ms"),
        (replace(RUN, not_begun=700, stopped=True), True, "Stopped on Locust's page after 10 s"),
    ],
)
def test_a_verdict_is_a_sentence_and_an_exit_code(run: Run, succeeded: bool, told: str) -> None:
    """Nothing that is off, lost or held up passes as success."""
    assert run.succeeded is succeeded
    assert any(told in sentence for sentence in sentences(run))


@pytest.mark.parametrize(
    ("programs", "elsewhere", "told"),
    [
        ({"order": 0.95, OURSELVES: 0.2}, 0.0, "The busiest was order, with 0.95 of the one core"),
        ({"order": 0.95, OURSELVES: 0.93}, 0.0, "The load generator used a whole core"),
        ({"order": 0.6, OURSELVES: 0.4}, 0.95, "most was used by order (0.60), 0.95 by what is not ours"),
        ({"order": 0.6, OURSELVES: 0.2}, 0.0, "0.80 of 2 cores were busy"),
    ],
)
def test_it_says_on_what_it_saturated(programs: dict[str, float], elsewhere: float, told: str) -> None:
    """One program that is full, the machine, this program itself, or nothing of these."""
    run = replace(RUN, held_up=1, shares=Shares(programs, elsewhere, cores=2))
    assert any(told in sentence for sentence in sentences(run))


def test_the_report_is_locusts_with_ours_on_top(tmp_path: Path) -> None:
    """HTML for people and JSON for programs, and not more of them than anybody looks at."""
    for number in range(REPORTS_MAX + 3):
        (tmp_path / f"2000{number:04}T000000.json").write_text("{}")
    page = write(tmp_path, RUN, "<html><body><div>Locust</div></body></html>")
    assert page.read_text().index("100 orders/s held") < page.read_text().index("<div>Locust")
    assert json.loads(page.with_suffix(".json").read_text())["succeeded"] is True
    assert len(list(tmp_path.glob("*.json"))) == REPORTS_MAX


def test_what_a_report_quotes_is_escaped() -> None:
    """An answer's text is no HTML."""
    run = replace(RUN, shares=Shares({"<b>": 0.95}, 0.0, 2))
    assert "<b>" not in summary_html(run)


def test_a_report_of_another_shape_is_refused() -> None:
    """Rather than leave our table out in silence."""
    with pytest.raises(ValueError, match="body"):
        on_top("<html></html>", "ours")
