"""Logs: lines of many reactions at once, and never at the cost of what they tell of."""

import errno
import io
import logging
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest
from loguru import logger

from shared import logs
from shared.ids import new_id
from shared.logs import Line

ORDER = new_id()
TRACE = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}
ABOUT = {"took_ms": 3.2, "order_id": ORDER}
LINES: list[Line] = [
    ("order.placed.v1 → stock.reserved", {**ABOUT, "event_id": new_id(), "outcome": "advanced", **TRACE}),
    ("stock.reserved.v1 ignored: so", {**ABOUT, "event_id": UUID(int=7), "outcome": "ignored"}),
]


class Disk(io.BytesIO):
    """What a log is written to; `full` once it is."""

    full = False

    def write(self, data: object) -> int:
        """Take bytes, or say that there is no room."""
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]  # whatever is written


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(logs, "sys", SimpleNamespace(stderr=SimpleNamespace(buffer=disk)))
    monkeypatch.setattr(logs, "_json_lines_of", {"service": "inventory"})
    return disk


def test_a_line_for_each(disk: Disk) -> None:
    """Each line is a JSON object with the message, the service, the order and the event, and what became of it."""
    logs.info_all(LINES)
    told = [orjson.loads(line) for line in disk.getvalue().splitlines()]
    assert [(line["message"], line["order_id"], line["event_id"]) for line in told] == [
        (message, str(about["order_id"]), str(about["event_id"])) for message, about in LINES
    ]
    assert [(line["outcome"], line["took_ms"]) for line in told] == [("advanced", 3.2), ("ignored", 3.2)]
    assert [line.get("trace_id") for line in told] == [TRACE["trace_id"], None]
    assert {(line["service"], line["level"]) for line in told} == {("inventory", "INFO")}


def test_a_full_disk_costs_the_lines_alone(disk: Disk) -> None:
    """The batch that they tell of is committed: the service goes on."""
    disk.full = True
    logs.info_all(LINES)


def test_as_a_person_reads_it() -> None:
    """How long it took stands behind what happened; what is for programs alone is left out."""
    record: Any = {"extra": {"service": "order", **LINES[0][1]}}
    logs._text(record)
    ids = f"order_id={ORDER} event_id={LINES[0][1]['event_id']} trace_id={TRACE['trace_id']}"
    assert record["extra"]["about"] == f"  3.2 ms  {ids}"


def test_what_a_library_repeats_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each line in half a minute, whatever else is said in between; every error with its traceback."""
    now_s, told = [0.0], list[str]()
    monkeypatch.setattr(logs, "time", SimpleNamespace(monotonic=lambda: now_s[0]))
    sink = logger.add(lambda message: told.append(message.record["message"]), level="WARNING")
    intercept = logs._Intercept()
    logger.enable("shared")
    try:
        for now_s[0], said in ((0.0, "away"), (0.5, "away"), (0.5, "gone"), (1.0, "away"), (31.0, "away")):
            intercept.emit(logging.LogRecord("aio_pika", logging.WARNING, "", 0, said, (), None))
        intercept.emit(logging.LogRecord("aio_pika", logging.ERROR, "", 0, "away", (), None))
        for error in (ValueError("one"), KeyError("another")):
            intercept.emit(logging.LogRecord("uvicorn", logging.ERROR, "", 0, "failed", (), (type(error), error, None)))
    finally:
        logger.remove(sink)
    assert told == ["away", "gone", "away", "away", "failed", "failed"]


def test_nothing_about_a_line_that_is_about_nothing() -> None:
    """No space at its end."""
    record: Any = {"extra": {"service": "order"}}
    logs._text(record)
    assert record["extra"]["about"] == ""
