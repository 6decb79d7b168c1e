"""Log lines as a person reads them."""

import pytest

from scripts.log_line import readable

JSON = '{"time":"2026-01-02T03:04:05.678901+00:00","level":"INFO","message":"a → b","service":"order","order_id":"7"}'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (JSON, "03:04:05.678 INFO     a → b  order_id=7"),
        (
            JSON[:-1] + ',"took_ms":3.2,"outcome":"advanced","trace_id":"0af7","span_id":"b7ad"}',
            "03:04:05.678 INFO     a → b  3.2 ms  order_id=7 trace_id=0af7",
        ),
        (f"order | {JSON}", "order | 03:04:05.678 INFO     a → b  order_id=7"),
        (JSON[:-1] + ',"exception":"Traceback\\n  x\\n"}', "03:04:05.678 INFO     a → b  order_id=7\nTraceback\n  x"),
        ("2026-01-02 03:04:05 UTC [7] LOG:  ready", "2026-01-02 03:04:05 UTC [7] LOG:  ready"),
        ("a brace { that opens nothing", "a brace { that opens nothing"),
        ('{"another": "object"}', '{"another": "object"}'),
        ("", ""),
    ],
)
def test_readable(line: str, expected: str) -> None:
    """A JSON line of ours becomes text, everything else stays as it is."""
    assert readable(line) == expected
