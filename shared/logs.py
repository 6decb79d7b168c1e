"""Logs with loguru: readable in a terminal, one JSON object a line elsewhere; order id and event id on each."""

import logging
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import orjson
from loguru import logger

from shared.ids import plain_id

if TYPE_CHECKING:
    from loguru import Message, Record

_TEXT = (
    "<dim>{time:HH:mm:ss.SSS}</dim> <level>{level: <7}</level> <cyan>{extra[service]: <12}</cyan> {message}"
    "<dim>{extra[about]}</dim>\n{exception}"
)
UNTOLD = ("about", "outcome", "service", "span_id", "took_ms")
"""What a person is not told as `name=value`: it is told otherwise, or for programs."""


SAME_INTERVAL_S = 30.0
"""So often at the most the same is told that a library says again and again."""
SAME_MAX_LINES = 1_000
"""So many are remembered."""

Line: TypeAlias = tuple[str, Mapping[str, Any]]
"""A message, and what it is about."""

_json_lines_of: dict[str, str] | None = None
"""What stands in every JSON line, where lines are JSON and INFO is logged."""


def set_up_logs(service: str, log_format: Literal["auto", "text", "json"], level: str) -> None:
    """Send everything to standard error, in the format asked for, and the standard library's logs with it."""
    global _json_lines_of
    logger.remove()
    logger.configure(extra={"service": service})
    if log_format == "text" or (log_format == "auto" and sys.stderr.isatty()):
        logger.add(sys.stderr, level=level, format=_text, backtrace=False, diagnose=False)
        _json_lines_of = None
    else:
        logger.add(_json, level=level, backtrace=False, diagnose=False)
        _json_lines_of = {"service": service} if logger.level(level).no <= logger.level("INFO").no else {}
    logging.basicConfig(handlers=[_Intercept()], level=logging.WARNING, force=True)


def info_all(lines: Iterable[Line]) -> None:
    """Log many lines of level INFO at once.

    As JSON they are written together, past loguru: a record of its own for each would cost more than the reaction
    that it tells of.
    """
    if _json_lines_of is None:
        for message, about in lines:
            logger.bind(**about).info(message)
    elif _json_lines_of:
        same = {"time": datetime.now(UTC).isoformat(), "level": "INFO", **_json_lines_of}
        _write(b"".join([_line({**same, "message": message, **about}) for message, about in lines]))


def _text(record: "Record") -> str:
    extra = record["extra"]
    took = f"  {extra['took_ms']} ms" if "took_ms" in extra else ""
    about = [f"{key}={value}" for key, value in extra.items() if key not in UNTOLD]
    extra["about"] = f"{took}  {' '.join(about)}".rstrip()
    return _TEXT


def _json(message: "Message") -> None:
    record = message.record
    line = {
        "time": record["time"].isoformat(),
        "level": record["level"].name,
        "message": record["message"],
        **{key: value if isinstance(value, float) else str(value) for key, value in record["extra"].items()},
    }
    if record["exception"] is not None:
        line["exception"] = str(message).partition("\n")[2]
    _write(_line(line))


def _line(line: Mapping[str, Any]) -> bytes:
    return orjson.dumps(line, default=plain_id, option=orjson.OPT_APPEND_NEWLINE)


def _write(lines: bytes) -> None:
    with suppress(OSError, ValueError):  # a full disk or a closed pipe costs the lines, and never what they tell of
        sys.stderr.buffer.write(lines)
        sys.stderr.buffer.flush()


class _Intercept(logging.Handler):
    """Hands the standard library's records to loguru.

    What a library says over and over, as while the broker is away, is told now and then: the lines of ours that say
    what waits for it would be lost among them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told_s: dict[tuple[str, int, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record, unless just that was said a moment ago; an error with its traceback in any case."""
        said, now_s = (record.name, record.levelno, record.getMessage()), time.monotonic()
        if not record.exc_info and now_s - self._told_s.get(said, float("-inf")) < SAME_INTERVAL_S:
            return
        if len(self._told_s) >= SAME_MAX_LINES:
            self._told_s.clear()
        self._told_s[said] = now_s
        logger.opt(exception=record.exc_info).bind(logger=record.name).log(record.levelname, record.getMessage())
