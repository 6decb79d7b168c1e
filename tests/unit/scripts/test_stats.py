"""`quartet stats`: what is not done, service by service, whoever of them answers."""

from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner

from infra.ports import SERVICES
from scripts.operations import Operations
from scripts.quartet import app
from scripts.sentences import FAILED
from scripts.stats import BACKLOG_TIMEOUT_S
from tests.unit.scripts.operations_stage import Stack

BACKLOG: dict[str, Any] = {
    "outbox": {"waiting": 1_234, "oldest_s": 75.5, "parked": 1},
    "inbox": {"about": 86_400, "newest_s": 2.0},
    "intents": [
        {"kind": "charge", "waiting": 5, "due": 4, "oldest_due_s": 3.2, "parked": 2},
        {"kind": "undo", "waiting": 0, "due": 0, "oldest_due_s": None, "parked": 0},
    ],
    "retries": [{"lane": "payment.stock.reserved", "events": 11, "attempts": 3, "oldest_s": 42.0}],
    "held_up": {"since": "2026-01-02T03:04:05Z", "events": 3, "error": "WorldError: [denied]"},
    "dead_letters": [{"lane": "payment.order.placed", "error_class": "ValueError", "letters": 7, "oldest_s": 3_700.0}],
}
QUEUES = {"payment.order.placed": 3, "order.dead": 0}


@pytest.fixture(autouse=True)
def queues(monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker answers."""
    monkeypatch.setattr("scripts.stats._queues", lambda: QUEUES)


def stack(*away: str) -> Stack:
    """Give a stack of which some do not answer."""

    def answer(service: str, path: str, _: Any) -> tuple[int, Any]:
        assert path == "/backlog"
        return (503, None) if service in away else (200, {"service": service, **BACKLOG})

    return Stack(answer)


def test_every_service_is_shown() -> None:
    """With what waits and for how long, what is parked, and what was set aside, and the queues that hold something."""
    told = stack().run("stats")
    assert told.exit_code == 0, told.output
    rows = {line.split()[0]: line.split()[1:] for line in reversed(told.stdout.splitlines())}
    for service in SERVICES:
        assert rows[service] == ["1,234", "1", "min", "15", "s", "~86,400", "2", "s", "5", "4", "3", "s", "3", "7"]
    assert "3 messages in 1 of 2 queues" in told.stdout
    held_up = "payment tries 3 events again and again, since 03:04:05 UTC: WorldError: [denied]"
    assert held_up in " ".join(told.stdout.split())
    assert ["ValueError", "7", "1", "h", "01", "min"] in [line.split()[1:] for line in told.stdout.splitlines()]
    assert ["payment.stock.reserved", "11", "3", "42", "s"] in [line.split() for line in told.stdout.splitlines()]
    assert "order.dead" not in told.stdout


def test_programs_read_all_of_it() -> None:
    """As it was answered."""
    document = orjson.loads(stack("order").run("stats", "--json").stdout)
    assert document["queues"] == QUEUES
    assert document["services"] == {
        "order": None,
        **{service: {"service": service, **BACKLOG} for service in ("inventory", "payment", "notification")},
    }


def test_who_does_not_answer_is_shown_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are shown all the same."""
    told = stack("payment").run("stats")
    assert told.exit_code == 0
    assert "payment       does not answer" in told.stdout
    assert "1,234" in told.stdout
    monkeypatch.setattr("scripts.stats._queues", lambda: None)
    told = stack().run("stats")
    assert (told.exit_code, "The broker does not answer." in told.stdout) == (0, True)
    told = stack(*SERVICES, *()).run("stats")
    assert told.exit_code == FAILED


def test_a_frozen_service_holds_nobody_up() -> None:
    """It has a few seconds, and is shown as one that does not answer."""

    def frozen(request: httpx.Request) -> httpx.Response:
        assert set(request.extensions["timeout"].values()) == {BACKLOG_TIMEOUT_S}
        raise httpx.ReadTimeout("frozen")

    with Operations("key", httpx.MockTransport(frozen)) as operations:
        told = CliRunner().invoke(app, ["stats"], obj=operations)
    assert told.exit_code == 0, told.output
    assert told.stdout.count("does not answer") == len(SERVICES)
    assert BACKLOG_TIMEOUT_S < 10


def test_where_nobody_answers_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the exit code; so it is with what is not understood."""
    monkeypatch.setattr("scripts.stats._queues", lambda: None)
    for typed, sentence in (((), "quartet: nobody answers. Quartet is not up"), (("now",), "quartet: Got unexpected")):
        told = stack(*SERVICES).run("stats", *typed)
        assert (told.exit_code, told.stdout) == (FAILED, "")
        assert told.stderr.startswith(sentence)
        assert told.stderr.count("\n") == 1


def test_a_broker_that_was_never_there_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Without its password there is nobody to ask."""
    monkeypatch.undo()
    monkeypatch.setenv("QUARTET_HOME", str(tmp_path))
    assert "The broker does not answer." in stack().run("stats").stdout
