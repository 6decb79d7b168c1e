"""Logs: their ends, their order in time, and their bound."""

from pathlib import Path

import pytest

from infra.native import logs
from infra.native.logs import cut, tail
from infra.native.reading import Growing, merged, time_of


def write(directory: Path, name: str, *lines: str) -> Path:
    log = directory / f"{name}.log"
    log.write_text("".join(f"{line}\n" for line in lines))
    return log


@pytest.mark.parametrize(
    ("lines", "expected"), [(0, ()), (1, ("three",)), (2, ("two", "three")), (9, ("one", "two", "three"))]
)
def test_a_tail_is_as_long_as_asked(tmp_path: Path, lines: int, expected: tuple[str, ...]) -> None:
    """Or as long as the log is."""
    assert tail(write(tmp_path, "order", "one", "two", "three"), lines) == expected


def test_a_tail_may_begin_after_an_earlier_run(tmp_path: Path) -> None:
    """At an offset; if the log was cut since, at its beginning."""
    log = write(tmp_path, "order", "earlier", "later")
    assert tail(log, 9, offset=len("earlier\n")) == ("later",)
    assert tail(log, 9, offset=10_000) == ("earlier", "later")


def test_a_long_log_is_read_from_its_end(tmp_path: Path) -> None:
    """Across blocks, and lines of any length."""
    log = write(tmp_path, "order", *(f"{number} {'x' * 5000}" for number in range(100)))
    assert [line.split()[0] for line in tail(log, 30)] == [str(number) for number in range(70, 100)]


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    """A program may not have been started yet."""
    assert tail(tmp_path / "order.log", 9) == ()
    cut(tmp_path / "order.log")


def test_a_log_is_cut_at_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was in it is kept once; a program that has it open goes on at its beginning."""
    monkeypatch.setattr(logs, "LOG_MAX_BYTES", 10)
    log = tmp_path / "order.log"
    with log.open("a") as writer:
        writer.write("short\n")
        writer.flush()
        cut(log)
        assert tail(log, 9) == ("short",)
        writer.write("and then longer\n")
        writer.flush()
        cut(log)
        writer.write("next\n")
    assert tail(log, 9) == ("next",)
    assert tail(log.with_suffix(".log.1"), 9) == ("short", "and then longer")


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-21 05:05:41.955092+00:00 [info] <0.625.0> RabbitMQ",
        "2026-11-21 05:05:41.955 UTC [18525]  LOG:  PostgreSQL",
        '{"time":"2026-11-21T05:05:41.955092+00:00","level":"INFO"}',
        "2026-11-21T05:05:41.955092Z ours",
        "2026-11-21 05:05:41,955Z INFO the supervisor",
        "2026-11-21 06:05:41.955092+0100 elsewhere",
    ],
)
def test_the_time_of_a_line_is_found(line: str) -> None:
    """In every form that our programs write it in."""
    found = time_of(line)
    assert found is not None
    assert found == pytest.approx(1795237541.955, abs=0.001)


@pytest.mark.parametrize("line", ["", "Traceback (most recent call last):", "9999-99-99 99:99:99 no such time"])
def test_a_line_may_have_no_time(line: str) -> None:
    """It then stays where it stands."""
    assert time_of(line) is None


def test_several_logs_are_read_as_one(tmp_path: Path) -> None:
    """By time; the rest of a traceback stays behind its first line."""
    order = write(tmp_path, "order", "2026-01-01 00:00:01 fails", "Traceback", "2026-01-01 00:00:03 goes on")
    payment = write(tmp_path, "payment", "2026-01-01 00:00:02 charges")
    assert merged([order, payment], 9) == [
        "order   | 2026-01-01 00:00:01 fails",
        "order   | Traceback",
        "payment | 2026-01-01 00:00:02 charges",
        "order   | 2026-01-01 00:00:03 goes on",
    ]
    assert merged([order, payment], 1) == ["order   | 2026-01-01 00:00:03 goes on"]
    assert merged([payment], 9) == ["2026-01-01 00:00:02 charges"]


def test_a_growing_log_is_read_line_by_line(tmp_path: Path) -> None:
    """Nothing of what was there before, no line before its end, and from the beginning after a cut."""
    log = write(tmp_path, "order", "before")
    growing = Growing(log)
    with log.open("a", buffering=1) as writer:
        assert growing.lines() == []
        writer.write("one\ntw")
        writer.flush()
        assert growing.lines() == ["one"]
        writer.write("o\n")
        assert growing.lines() == ["two"]
    write(tmp_path, "order", "anew")
    assert growing.lines() == ["anew"]
    log.unlink()
    assert growing.lines() == []
