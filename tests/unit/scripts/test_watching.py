"""`quartet order` and `quartet watch`: what they show of what the dashboard tells, and how they end."""

import json
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from scripts.onlooker import Onlooker
from scripts.quartet import app

ID = "0190d1a5-0000-7000-8000-000000000001"
AT = "2026-01-02T03:04:05.678901+00:00"
PLACE = {"service": "payment", "behind": 0, "behind_s": 0.0, "silent_since": AT, "why": "ConnectError"}

EVENT = {
    "event_id": ID, "name": "order.placed", "service": "order", "public": True, "since_ms": 0.0, "attempts": 2,
    "after_ms": None,
    "cause_name": None, "by": ["order.place"], "answered": None,
}  # fmt: skip
WAIT = {
    "kind": "reaction", "name": "payment.learn_amount", "service": "payment", "event": "order.placed", "waits_s": 12.0,
    "overdue_since": AT, "intent": None, "why": None,
}  # fmt: skip
ORDER = {
    "order_id": ID, "state": "stuck", "status": "running", "reason": None, "customer_id": "[ann]", "placed_at": AT,
    "events": 1, "settled": False, "trace_id": None, "log": [EVENT], "next": [WAIT], "silent": [PLACE],
}  # fmt: skip
STAGE = {
    "orders": {"running": 2, "stuck": 1}, "events_per_min": 30, "behind": [PLACE], "rates": {"order.placed": 7},
    "services": [
        {"service": "payment", "answers": False, "outbox": None, "intents": [], "retries": 0, "held_up": "held up"},
    ],
    "lanes": [
        {"event": "order.placed", "reactions": ["payment.learn_amount"], "events": 3, "messages": None, "retries": 2,
         "stuck": 1, "oldest_s": 9.4, "dead_letters": 0, "unheard": True},
    ],
}  # fmt: skip
STUCK = {"groups": [{"waiting_for": "payment.learn_amount", "orders": 1, "ids": [ID], "why": "BrokenError"}]}
DOCUMENTS: dict[str, Any] = {f"/api/orders/{ID}": ORDER, "/api/stage": STAGE, "/api/stuck": STUCK}


def run(*arguments: str, documents: dict[str, Any] | None = None) -> Result:
    """Run a command over a dashboard that tells these documents, and of all else that there is none."""
    told = DOCUMENTS if documents is None else documents

    def answer(request: httpx.Request) -> httpx.Response:
        found = told.get(request.url.path)
        return httpx.Response(200, json=found) if found else httpx.Response(404, json={"detail": "none"})

    return CliRunner().invoke(app, arguments, obj=Onlooker(httpx.MockTransport(answer)))


def test_an_order_is_told_with_what_comes_next() -> None:
    """Who is silent, whose reaction is waited for, and since when it is overdue."""
    result = run("order", ID)
    assert result.exit_code == 0, result.output
    for told in ("stuck (running)", "[ann]", "order.placed", "order.place, attempt 2",
                 "payment does not answer", "payment.learn_amount",
                 "reacts to order.placed; awaited for 12 s; overdue since 03:04:05.678 UTC"):  # fmt: skip
        assert told in " ".join(result.stdout.split()), told
    assert json.loads(run("order", ID, "--json").stdout) == ORDER


def test_an_order_that_waits_for_nothing() -> None:
    """It says so."""
    done = {f"/api/orders/{ID}": ORDER | {"next": [], "silent": [], "state": "completed", "status": "completed"}}
    assert "Nothing comes next" in run("order", ID, documents=done).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("order", "0190d1a5-0000-7000-8000-00000000000f"), 1, "no service has told of an order"),
        (("order", "seven"), 2, "Input should be a valid UUID"),
        (("order",), 2, "Missing argument"),
        (("watch", "--twice"), 2, "No such option"),
    ],
)
def test_what_cannot_be_told_is_one_line(arguments: tuple[str, ...], code: int, said: str) -> None:
    """And an exit code."""
    result = run(*arguments)
    assert result.exit_code == code, result.output
    assert said in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ConnectError("refused"), "the dashboard does not answer (ConnectError). Quartet is not up"),
        (httpx.ReadTimeout("frozen"), "the dashboard listens, and answers nothing within 5 s: `make status`"),
    ],
)
@pytest.mark.parametrize("arguments", [("order", ID), ("watch", "--once"), ("watch", "--json", "--once")])
def test_a_dashboard_that_does_not_answer(arguments: tuple[str, ...], error: httpx.HTTPError, said: str) -> None:
    """Is said, with what to do."""

    def refuse(_: httpx.Request) -> httpx.Response:
        raise error

    result = CliRunner().invoke(app, arguments, obj=Onlooker(httpx.MockTransport(refuse)))
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_look_shows_lanes_services_and_what_is_stuck() -> None:
    """Where there is no terminal it is one look."""
    for arguments in (("watch",), ("watch", "--once")):
        shown = run(*arguments).stdout
        for told in ("2 running", "silent", "held up", "payment.learn_amount", f"1 stuck, such as {ID}: BrokenError"):
            assert told in shown, told
    (line,) = run("watch", "--json", "--once").stdout.splitlines()
    assert json.loads(line)["stuck"] == STUCK["groups"]
