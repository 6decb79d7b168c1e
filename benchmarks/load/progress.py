"""A line every few seconds while the load lasts, and a point on Locust's charts."""

import time

import gevent
from rich.console import Console

from benchmarks.load.arrivals import Course
from benchmarks.load.meter import Meter
from benchmarks.percentiles import Latency

EVERY_S = 2.0


def report_progress(console: Console, meter: Meter, course: Course, began_s: float) -> None:
    """Report until it is killed; `began_s` is monotonic."""
    settled = 0
    while True:
        gevent.sleep(EVERY_S)
        recent, meter.recent_ms = Latency.of(meter.recent_ms), []
        settled += recent.count if recent else 0
        meter.chart()
        failed = sum(count for (_, told), count in meter.requests.items() if not told.startswith("2"))
        console.print(
            f"{time.monotonic() - began_s:5.0f} s  begun {len(course.visits):,}  settled {settled:,}  "
            f"in flight {meter.runner.in_flight:,}  "
            + (f"p50 {recent.p50_ms:,.0f} ms  p99 {recent.p99_ms:,.0f} ms" if recent else "none settled")
            + (f"  answers other than 2xx {failed:,}" if failed else ""),
            highlight=False,
            soft_wrap=True,
        )
