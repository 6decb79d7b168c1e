"""A service's log line as a person reads it; services write JSON lines where nobody watches."""

import json

HIDDEN = ("time", "level", "message", "service", "exception", "outcome", "span_id", "took_ms")
"""What is told otherwise, or is for programs."""


def readable(line: str) -> str:
    """Write a JSON line as text, with what stands before it (the name of its log); any other line as it is."""
    before, brace, rest = line.partition("{")
    try:
        record = json.loads(brace + rest)
        text = f"{before}{record['time'][11:23]} {record['level']:<8} {record['message']}"
    except (ValueError, KeyError, TypeError):
        return line
    took = f"  {record['took_ms']} ms" if "took_ms" in record else ""
    about = " ".join(f"{name}={value}" for name, value in record.items() if name not in HIDDEN)
    exception = f"\n{record['exception'].rstrip()}" if "exception" in record else ""
    return f"{text}{took}  {about}{exception}".rstrip()
