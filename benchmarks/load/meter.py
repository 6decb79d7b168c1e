"""What is counted while it runs, in Locust's statistics and, unrounded, in our own.

In Locust's tables and charts the aggregate is the orders alone: a chart of orders and their requests mixed would tell
the latency of neither. The HTTP requests have rows of their own, and their failures are listed.
"""

from collections import Counter
from typing import Any

from locust.env import Environment
from locust.html import get_html_report
from locust.runners import STATE_RUNNING, STATE_STOPPED, LocalRunner
from locust.stats import StatsError, update_stats_history

WEB_HOST = "127.0.0.1"
WEB_PORT = 8089
ORDER_METHOD = "order"
"""Where Locust shows an HTTP method, an order shows this."""


class OpenLoop(LocalRunner):
    """Locust's runner, told by us what happens: its users are the orders in flight."""

    in_flight = 0
    stop_asked = False

    @property
    def user_count(self) -> int:
        """What Locust's page and charts call users."""
        return self.in_flight

    def start(self, *_: Any, **__: Any) -> None:
        """Ignore the page's form for a new test: a run is begun on the command line, with its arguments."""

    def stop(self) -> None:
        """Take the page's stop button for the wish that no more orders arrive."""
        self.stop_asked = True


class Meter:
    """Counts orders and requests."""

    def __init__(self, host: str) -> None:
        self._environment = Environment(host=host, locustfile="benchmarks/load", catch_exceptions=False)
        self.runner = OpenLoop(self._environment)
        self._environment.runner = self.runner
        self.requests: Counter[tuple[str, str]] = Counter()
        """How often a request such as `POST /orders` was answered with a status, or failed with an error."""
        self.requests_ms: dict[str, list[float]] = {}
        self.recent_ms: list[float] = []
        """Of the orders that have settled since somebody looked last."""

    def begin(self) -> None:
        """Begin to measure."""
        self._environment.stats.reset_all()
        self.runner.update_state(STATE_RUNNING)

    def end(self) -> None:
        """Finish what is charted; the tables stay as they are."""
        self.chart()
        self.runner.update_state(STATE_STOPPED)

    def chart(self) -> None:
        """Add a point to Locust's charts."""
        update_stats_history(self.runner)

    def settled(self, kind: str, took_s: float) -> None:
        """Count an order that is settled."""
        self.recent_ms.append(took_s * 1000)
        self._environment.events.request.fire(
            request_type=ORDER_METHOD, name=kind, response_time=took_s * 1000, response_length=0, exception=None
        )

    def lost(self, kind: str, why: str) -> None:
        """Count an order that was given up."""
        self._environment.events.request.fire(
            request_type=ORDER_METHOD, name=kind, response_time=None, response_length=0, exception=RuntimeError(why)
        )

    def answered(self, method: str, name: str, took_ms: float, told: str, size: int) -> None:
        """Count a request by what came of it."""
        request = f"{method} {name}"
        self.requests[request, told] += 1
        self.requests_ms.setdefault(request, []).append(took_ms)
        entry = self._environment.stats.get(name, method)
        entry.log(took_ms, size)  # type: ignore[arg-type]  # Locust takes fractions, and rounds them in its tables
        if not told.startswith("2"):
            entry.log_error(told)
            key = StatsError.create_key(method, name, told)
            self._environment.stats.errors.setdefault(key, StatsError(method, name, told)).occurred()

    def serve(self) -> str:
        """Serve Locust's page, and say where."""
        self._environment.create_web_ui(WEB_HOST, WEB_PORT)
        return f"http://{WEB_HOST}:{WEB_PORT}"

    def html(self) -> str:
        """Give Locust's report."""
        return str(get_html_report(self._environment, show_download_link=False))

    def close(self) -> None:
        """End what runs in the background."""
        if self._environment.web_ui and self._environment.web_ui.server:
            self._environment.web_ui.stop()
        self.runner.greenlet.kill(block=True)
