"""Four services as an operator's commands meet them."""

from collections.abc import Callable
from typing import Any

import httpx
import orjson
from typer.testing import CliRunner, Result

from infra.ports import SERVICES
from scripts.operations import Operations
from scripts.quartet import app

ONE, TWO = "0190d1a5-0000-7000-8000-000000000001", "0190d1a5-0000-7000-8000-000000000002"
BY_PORT = {port: service for service, port in SERVICES.items()}


class Stack:
    """Four services that answer as a test says, and remember what they were asked."""

    def __init__(self, answer: Callable[[str, str, Any], tuple[int, Any]]) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer a request, if it shows the key."""
        assert request.headers["X-Operator-Key"] == "key"
        asked = BY_PORT[request.url.port or 0], request.url.path, orjson.loads(request.content or b"null")
        self.asked.append(asked)
        status, document = self._answer(*asked)
        if document is None:
            return httpx.Response(status, text="" if status < 400 else "<h1>Service Unavailable</h1>")
        return httpx.Response(status, json=document)

    def run(self, *arguments: str, typed: str = "") -> Result:
        """Run a command."""
        operations = Operations("key", httpx.MockTransport(self))
        return CliRunner().invoke(app, arguments, obj=operations, input=typed)


def letter(letter_id: str = ONE, **changes: Any) -> dict[str, Any]:
    """Give a letter as a service treats or shows it."""
    return {
        "letter_id": letter_id,
        "lane": "payment.order.placed",
        "error_class": "ValueError",
        "attempts": 4,
        "last_failed_at": "2026-01-02T03:04:05Z",
        "inbox": "dead",
        "replay": "reacted to anew",
        "done": True,
        **changes,
    }


def payment_has(*letters: dict[str, Any], left: int = 0, foreign: int = 0) -> Stack:
    """Give a stack in which payment alone has letters; in a dry run none is done."""

    def answer(service: str, _: str, body: Any) -> tuple[int, Any]:
        own = letters if service == "payment" else ()
        done = not (body or {}).get("dry_run")
        told = [one | {"done": one["done"] and done} for one in own]
        return 200, {"letters": told, "left": left if own else 0, "foreign": foreign if own else 0, "next": None}

    return Stack(answer)
