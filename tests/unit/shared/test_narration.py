"""What the log tells of a commit: a line for each event, with the order, the outcome and how long it took."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from loguru import logger

from shared import narration
from shared.batch import Answered, Duplicate, Raised, Result
from shared.logs import Line
from shared.narration import Narrator
from shared.outcome import Ignored, advance
from shared.ports import Answer
from shared.shell import Committed
from tests.unit.shared.fakes import FakeClock
from tests.unit.shared.toy import Played, Score, cue, order

TRACE = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
ADVANCED = advance(Score(order()), Played(order_id=order(), nth=1))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[Line]:
    told: list[Line] = []
    monkeypatch.setattr(narration, "info_all", told.extend)
    return told


@pytest.fixture
def records() -> Iterator[list[Any]]:
    told: list[Any] = []
    logger.enable("shared")
    sink = logger.add(lambda message: told.append(message.record), level="DEBUG")
    yield told
    logger.remove(sink)


async def narrate(*results: Result, trace: dict[str, str] | None = None) -> None:
    """Tell of a commit that took a quarter of a second."""
    clock = FakeClock()
    items = [cue() for _ in results]
    began_s = clock.monotonic_s() - 0.25
    Narrator(clock, lambda _: trace or {}).committed(Committed(items, results, (), (), began_s))


@pytest.mark.parametrize(
    ("result", "text", "outcome"),
    [
        (ADVANCED, "toy.cue.v1 → toy.played", "advanced"),
        (Answered(Answer(201, {}), ADVANCED), "toy.cue.v1 → toy.played", "advanced"),
        (Ignored("a rest"), "toy.cue.v1 ignored: a rest", "ignored"),
    ],
)
async def test_a_line(lines: list[Line], result: Result, text: str, outcome: str) -> None:
    """What came of it, for people and for programs; what it took is what the batch took."""
    await narrate(result, result)
    told = [(message, about["outcome"], about["order_id"]) for message, about in lines]
    assert told == [(text, outcome, order())] * 2
    assert all(250 <= about["took_ms"] < 1_000 for _, about in lines)
    assert len({about["event_id"] for _, about in lines}) == 2


async def test_where_somebody_records_the_trace_is_told(lines: list[Line]) -> None:
    """So that a line leads to its trace, and to its span there."""
    await narrate(ADVANCED, trace=TRACE)
    assert lines[0][1].items() >= TRACE.items()


async def test_what_failed_is_told_with_its_error(lines: list[Line], records: list[Any]) -> None:
    """An error, with the order, the event and the trace; a span of that name there is none."""
    await narrate(Raised(ValueError("no")), trace=TRACE)
    (record,) = records
    assert (record["level"].name, record["message"], record["extra"]["outcome"]) == (
        "ERROR",
        "toy.cue.v1 failed",
        "raised",
    )
    assert record["extra"]["took_ms"] >= 250
    assert UUID(record["extra"]["order_id"]) == order()
    assert (record["extra"]["trace_id"], "span_id" in record["extra"]) == (TRACE["trace_id"], False)
    assert lines == []


async def test_what_was_seen_before_is_for_who_looks_closely(lines: list[Line], records: list[Any]) -> None:
    """It is no news."""
    await narrate(Duplicate())
    assert [(record["level"].name, record["message"]) for record in records] == [("DEBUG", "toy.cue.v1 seen before")]
    assert lines == []
