"""Logs with loguru: readable in a terminal, one JSON object a line elsewhere; order id and event id on each."""

import logging
import sys
from typing import TYPE_CHECKING, Literal

import orjson
from loguru import logger

if TYPE_CHECKING:
    from loguru import Message, Record

_TEXT = (
    "<dim>{time:HH:mm:ss.SSS}</dim> <level>{level: <7}</level> <cyan>{extra[service]: <12}</cyan> {message}"
    "<dim>{extra[about]}</dim>\n{exception}"
)


def set_up_logs(service: str, log_format: Literal["auto", "text", "json"], level: str) -> None:
    """Send everything to standard error, in the format asked for, and the standard library's logs with it."""
    logger.remove()
    logger.configure(extra={"service": service})
    if log_format == "text" or (log_format == "auto" and sys.stderr.isatty()):
        logger.add(sys.stderr, level=level, format=_text, backtrace=False, diagnose=False)
    else:
        logger.add(_json, level=level, backtrace=False, diagnose=False)
    logging.basicConfig(handlers=[_Intercept()], level=logging.WARNING, force=True)


def _text(record: "Record") -> str:
    about = [f"{key}={value}" for key, value in record["extra"].items() if key not in ("service", "about")]
    record["extra"]["about"] = f"  {' '.join(about)}" if about else ""
    return _TEXT


def _json(message: "Message") -> None:
    record = message.record
    line = {
        "time": record["time"].isoformat(),
        "level": record["level"].name,
        "message": record["message"],
        **{key: str(value) for key, value in record["extra"].items()},
    }
    if record["exception"] is not None:
        line["exception"] = str(message).partition("\n")[2]
    sys.stderr.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    sys.stderr.buffer.flush()


class _Intercept(logging.Handler):
    """Hands the standard library's records to loguru."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        logger.opt(exception=record.exc_info).bind(logger=record.name).log(record.levelname, record.getMessage())
