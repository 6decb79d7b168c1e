"""How long orders take is told by the commits that settle them, by what they came to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.order.events import MoneyBook, StockBook
from services.order.reactions import reactions
from services.order.sagas import timed
from services.order.state import Order, Status
from shared.batch import Answered, Result
from shared.metrics import Metrics
from shared.outcome import advance
from shared.ports import Answer
from shared.shell import Committed
from shared.vocabulary.order import CancelReason
from tests.unit.services.builders import PLACED, PLACEMENT
from tests.unit.shared.fakes import FakeClock

DEADLINE_S = 60.0
CONFIRMED = replace(Order.placed(PLACEMENT), status=Status.CONFIRMED, stock=StockBook.COMMITTED)
CANCELLED = replace(Order.placed(PLACEMENT), status=Status.CANCELLED, stock=StockBook.RELEASED, money=MoneyBook.VOIDED)


def told(order: Order, age_s: float, wrap: Any = lambda outcome: outcome) -> Metrics:
    """Give the metrics after a commit that led to a state of an order that was placed so long ago."""
    metrics = Metrics(reactions, [], FakeClock())
    state = replace(order, placed_at=datetime.now(UTC) - timedelta(seconds=age_s))
    results: tuple[Result, ...] = (wrap(advance(state, PLACED)),)
    timed(metrics, DEADLINE_S)(Committed((), results, (), (), 0.0))
    return metrics


def count(metrics: Metrics, outcome: str) -> float | None:
    """Read how many orders came to something."""
    return metrics.registry.get_sample_value("quartet_saga_seconds_count", {"service": "order", "outcome": outcome})


def late(metrics: Metrics) -> float | None:
    """Read how many were late."""
    return metrics.registry.get_sample_value("quartet_settled_late_total", {"service": "order"})


@pytest.mark.parametrize("reason", CancelReason)
def test_what_an_order_came_to(reason: CancelReason) -> None:
    """It was confirmed, or why it was cancelled; only its own outcome counts."""
    metrics = told(replace(CANCELLED, reason=reason), 2.0)
    assert {each: count(metrics, each) for each in CancelReason} == dict.fromkeys(CancelReason, 0) | {reason: 1}
    took_s = metrics.registry.get_sample_value("quartet_saga_seconds_sum", {"service": "order", "outcome": reason})
    assert took_s == pytest.approx(2.0, abs=1.0)
    assert count(told(CONFIRMED, 2.0, lambda outcome: Answered(Answer(200, {}), outcome)), "confirmed") == 1


def test_what_is_not_settled_does_not_count() -> None:
    """Nor does any other result."""
    assert count(told(replace(CONFIRMED, stock=StockBook.OPEN), 2.0), "confirmed") == 0
    assert count(told(CONFIRMED, 2.0, lambda _: Answered(Answer(200, {}))), "confirmed") == 0


@pytest.mark.parametrize(
    ("order", "age_s", "expected"),
    [
        (CONFIRMED, DEADLINE_S - 1, 0),
        (CONFIRMED, DEADLINE_S + 1, 1),
        (replace(CANCELLED, reason=CancelReason.DEADLINE_PASSED), DEADLINE_S + 1, 1),
        (replace(CANCELLED, reason=CancelReason.CUSTOMER_REQUEST), DEADLINE_S + 1, 0),
    ],
    ids=["in time", "late", "deadline", "customer"],
)
def test_late_is_what_takes_longer_than_a_verdict_may(order: Order, age_s: float, expected: int) -> None:
    """But for who cancels when they like."""
    assert late(told(order, age_s)) == expected
