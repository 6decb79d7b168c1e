"""HTTP to the order service on geventhttpclient, the client under Locust's `FastHttpUser`.

Used as it is, because the generator shares the machine with what it measures: what `FastHttpSession` adds (cookies,
redirects, response contexts) costs more than the request itself. Locust's tables get every request all the same.
"""

import time
from dataclasses import dataclass

from geventhttpclient import HTTPClient
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError

from benchmarks.load.meter import Meter

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 45.0
"""Longer than the order service holds a question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; status 0 if there was none. `told` names it in a count of failures."""

    status: int
    body: bytes
    told: str


class Channel:
    """Connections to one address, kept open, one for each request in flight at most."""

    def __init__(self, host: str, port: int, key: str, connections_max: int, meter: Meter) -> None:
        """`key` is the customer's who asks."""
        self._client = HTTPClient(
            host,
            port,
            concurrency=connections_max,
            connection_timeout=CONNECT_TIMEOUT_S,
            network_timeout=ANSWER_TIMEOUT_S,
        )
        self._meter = meter
        self._authorization = f"Bearer {key}"

    def ask(self, method: str, path: str, name: str, body: bytes, idempotency_key: str) -> Answer:
        """Send one request and read its answer, or learn that there is none."""
        headers = {"Authorization": self._authorization}
        if body:
            headers["Content-Type"] = "application/json"
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        began_s = time.perf_counter()
        try:
            response = self._client.request(method, path, body, headers)
            content = bytes(response.read())
            status = response.get_code()
            answer = Answer(status, content, str(status))
        except (OSError, HTTPConnectionClosed, HTTPParseError) as error:  # a timeout is an OSError
            answer = Answer(0, b"", type(error).__name__)
        self._meter.answered(method, name, (time.perf_counter() - began_s) * 1000, answer.told, len(answer.body))
        return answer

    def close(self) -> None:
        """Close every connection."""
        self._client.close()
