"""How pages say times, lengths of time, counts and ids."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

SECOND_MS, MINUTE_S, HOUR_S, DAY_S = 1_000.0, 60.0, 3_600.0, 86_400.0
LONG_MS = 10_000.0
TODAY = timedelta(hours=20)
SHORT_HEAD, SHORT_TAIL = 8, 6


def milliseconds(length_ms: float | None) -> str:
    """Say a length of time as exactly as it is of use: `12 ms`, `3,400 ms`, `5 min 10 s`."""
    if length_ms is None:
        return ""
    if abs(length_ms) < LONG_MS:
        return f"{length_ms:,.0f} ms"
    return seconds(length_ms / SECOND_MS)


def seconds(length_s: float | None) -> str:
    """Say a length of time: `4 s`, `5 min 10 s`, `2 h 5 min`, `3 d 4 h`."""
    if length_s is None:
        return ""
    if length_s < MINUTE_S:
        return f"{length_s:.0f} s"
    for unit, part, unit_s, part_s in (("min", "s", MINUTE_S, 1.0), ("h", "min", HOUR_S, MINUTE_S)):
        if length_s < unit_s * (MINUTE_S if unit == "min" else 24):
            whole, rest = divmod(length_s, unit_s)
            return _two(whole, unit, rest // part_s, part)
    days, rest = divmod(length_s, DAY_S)
    return _two(days, "d", rest // HOUR_S, "h")


def _two(whole: float, unit: str, rest: float, part: str) -> str:
    return f"{whole:.0f} {unit} {rest:.0f} {part}" if rest else f"{whole:.0f} {unit}"


def clock(at: datetime) -> str:
    """Say the time of day in UTC, to the millisecond."""
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"


def moment(at: datetime) -> str:
    """Say a time in UTC: of today the time of day, of another day that day too."""
    return clock(at) if datetime.now(UTC) - at < TODAY else f"{at:%m-%d %H:%M:%S}"


def day(at: datetime) -> str:
    """Say the whole time in UTC."""
    return f"{at:%Y-%m-%d} {clock(at)} UTC"


def short(identity: object) -> str:
    """Say an id so that two can be told apart: ids that were drawn together begin alike."""
    text = str(identity)
    return f"{text[:SHORT_HEAD]}…{text[-SHORT_TAIL:]}"


def number(count: int | None) -> str:
    """Say a count."""
    return "–" if count is None else f"{count:,}"


def pretty(data: Any) -> str:
    """Write data for reading."""
    return json.dumps(data, indent=2, ensure_ascii=False)


def words(name: str) -> str:
    """Say a name of the code as words: `out_of_stock` is out of stock."""
    return name.replace("_", " ")


FILTERS = {each.__name__: each for each in (milliseconds, seconds, clock, moment, day, short, number, pretty, words)}
