"""The operator's commands: what they ask of which service, what they say, and how they end."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest
from typer.testing import CliRunner, Result

from infra.failure import StackError
from infra.ports import SERVICES
from scripts.operations import Operations
from scripts.quartet import app
from scripts.refill import owner_of, since_when
from scripts.sentences import FAILED
from services.order.keys import hash_of

ONE, TWO = "0190d1a5-0000-7000-8000-000000000001", "0190d1a5-0000-7000-8000-000000000002"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
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


def test_a_list_is_of_all_services() -> None:
    """Each letter with what a replay would come to; for programs as JSON."""
    stack = payment_has(letter(), left=7)
    result = stack.run("dlq", "list")
    assert result.exit_code == 0, result.output
    assert {service for service, _, _ in stack.asked} == set(SERVICES)
    for told in (ONE, "payment.order.placed", "reacted to anew", "01-02 03:04:05", "1 dead letters, and 7 more"):
        assert told in result.stdout
    document = orjson.loads(stack.run("dlq", "list", "--json").stdout)
    assert (document["letters"][0]["service"], document["left"]) == ("payment", 7)


def test_a_lane_is_asked_of_its_service_alone() -> None:
    """And what is no lane, of nobody."""
    stack = payment_has(letter())
    assert stack.run("dlq", "list", "--lane", "payment.order.placed").exit_code == 0
    assert [service for service, _, _ in stack.asked] == ["payment"]
    assert stack.run("dlq", "list", "--lane", "nonsense").exit_code == FAILED
    assert len(stack.asked) == 1


@pytest.mark.parametrize("act", [("list",), ("replay",), ("drop", "--why", "old")], ids=" ".join)
@pytest.mark.parametrize("lane", ["payment.order.plcaed", "paymnet.order.placed"])
def test_a_mistyped_lane_is_one_line(act: tuple[str, ...], lane: str) -> None:
    """Which names the lanes that there are; a lane without letters is none of the two."""
    result = payment_has().run("dlq", *act, "--lane", lane)
    assert result.exit_code == FAILED
    assert result.stderr.startswith(f"quartet: there is no lane {lane}; there are inventory.order.cancelled, ")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert payment_has().run("dlq", *act, "--lane", "payment.order.placed").exit_code == 0


def test_a_lane_that_is_gone_may_have_left_letters() -> None:
    """They are listed and dropped as all others."""
    stack = payment_has(letter(lane="payment.order.put"))
    assert stack.run("dlq", "list", "--lane", "payment.order.put").exit_code == 0
    assert stack.run("dlq", "drop", "--lane", "payment.order.put", "--why", "old").exit_code == 0


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (("nonsense",), "No such command 'nonsense' (see `quartet --help`)"),
        (("--nonsense",), "No such option: --nonsense (see `quartet --help`)"),
        (("dlq", "nonsense"), "No such command 'nonsense' (see `quartet dlq --help`)"),
        (("dlq", "show", "1"), "Invalid value for 'letter': Input should be a valid UUID"),
        (("dlq", "drop", "--all"), "Missing option '--why' (see `quartet dlq drop --help`)"),
        (("refill",), "Missing argument 'lane' (see `quartet refill --help`)"),
        (("down", "now"), "Got unexpected extra argument(s) (now) (see `quartet down --help`)"),
        (("audit", "--since", "soon"), "Invalid value: 'soon' is no duration, such as 5s, 10m or 2h"),
        (("chaos", "run", "--rate", "0"), "Invalid value for '--rate'"),
    ],
    ids=str,
)
def test_a_command_line_that_is_not_understood_is_one_line(typed: tuple[str, ...], sentence: str) -> None:
    """Of whatever command, and an exit code that is not 0."""
    result = payment_has().run(*typed)
    assert result.exit_code == FAILED
    assert result.stderr.startswith(f"quartet: {sentence}")
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_who_asks_for_nothing_is_shown_what_there_is() -> None:
    """That is help, and no complaint."""
    for command in ((), ("dlq",), ("key",)):
        result = payment_has().run(*command)
        assert result.exit_code == FAILED
        assert "Usage: quartet" in result.output
        assert "quartet: " not in result.stderr


def test_a_letter_is_shown_by_whoever_has_it() -> None:
    """Where nobody has it, one line says so."""
    stack = Stack(lambda service, *_: (200, letter(body="[•••]")) if service == "payment" else (404, {"detail": "no"}))
    result = stack.run("dlq", "show", ONE)
    assert result.exit_code == 0
    assert "[•••]" in result.stdout
    result = Stack(lambda *_: (404, {"detail": "no"})).run("dlq", "show", ONE)
    assert (result.exit_code, result.stderr) == (FAILED, f"quartet: no service has a dead letter {ONE}\n")


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        ((ONE, TWO), {"letters": [ONE, TWO]}),
        (("--reason", "ValueError"), {"error_class": "ValueError"}),
        (("--all", "--yes"), {"all": True}),
    ],
    ids=str,
)
def test_a_replay_says_which_are_meant(arguments: tuple[str, ...], body: dict[str, Any]) -> None:
    """By id, by reason, or all; every service is asked."""
    stack = payment_has(letter(), letter(TWO))
    result = stack.run("dlq", "replay", *arguments)
    assert result.exit_code == 0, result.output
    assert "2 replayed" in result.stdout
    assert stack.asked == [
        *((service, "/dead-letters/replay", body | {"dry_run": True}) for service in SERVICES),
        ("payment", "/dead-letters/replay", {"letters": [ONE, TWO], "dry_run": False}),
    ]


@pytest.mark.parametrize(
    "arguments", [(), (ONE, "--all"), ("--all", "--reason", "ValueError"), ("--lane", "")], ids=str
)
@pytest.mark.parametrize("act", [("replay",), ("drop", "--why", "old")], ids=str)
def test_it_must_be_said_which_are_meant(act: tuple[str, ...], arguments: tuple[str, ...]) -> None:
    """In exactly one way; nobody is asked before."""
    stack = payment_has(letter())
    assert stack.run("dlq", *act, *arguments).exit_code == FAILED
    assert stack.asked == []


def test_all_is_asked_for_twice() -> None:
    """The question says how many there are; who does not say yes has changed nothing."""
    stack = payment_has(letter(), left=11)
    result = stack.run("dlq", "drop", "--why", "old", "--all", typed="n\n")
    assert result.exit_code == 1
    assert "drop 1 dead letters of 12?" in result.stderr
    assert all(body["dry_run"] for _, _, body in stack.asked)
    result = stack.run("dlq", "drop", "--why", "old", "--all", typed="y\n")
    assert result.exit_code == 0
    assert "1 dropped; 11 are left, do it again" in result.stdout
    assert stack.asked[-1][2] == {"letters": [ONE], "why": "old", "dry_run": False}


@pytest.mark.parametrize("act", [("replay",), ("drop", "--why", "old")], ids=" ".join)
def test_what_came_after_the_question_is_left_alone(act: tuple[str, ...]) -> None:
    """What is done is done to the letters that were counted, not to as many, nor to all that are there by then."""

    def answer(service: str, _: str, body: Any) -> tuple[int, Any]:
        there = [ONE] if body["dry_run"] else [TWO, ONE]
        meant = [one for one in there if one in body.get("letters", there)]
        letters = [letter(one, done=not body["dry_run"]) for one in meant if service == "payment"]
        return 200, {"letters": letters, "left": 0, "foreign": 0}

    stack = Stack(answer)
    result = stack.run("dlq", *act, "--all", typed="y\n")
    assert result.exit_code == 0, result.output
    assert f"{act[0]} 1 dead letters?" in result.stderr
    assert ONE in result.stdout
    assert TWO not in result.stdout


def test_a_dry_run_asks_no_question() -> None:
    """It says what would be done."""
    stack = payment_has(letter())
    result = stack.run("dlq", "replay", "--all", "--dry-run")
    assert result.exit_code == 0
    assert "1 would be replayed" in result.stdout
    assert all(body["dry_run"] for _, _, body in stack.asked)


@pytest.mark.parametrize(
    ("stack", "says"),
    [
        (payment_has(letter(done=False)), "not confirmed by the broker, and still there: 1"),
        (payment_has(letter(), foreign=3), "without a lane to go back to: 3"),
        (payment_has(), "no service has such a letter"),
        (Stack(lambda *_: (409, {"detail": "no lane"})), "without a lane to go back to: all that order, inventory"),
        (Stack(lambda *_: (403, {"detail": "the key"})), "order: the key"),
        (Stack(lambda *_: (422, {"detail": "No.", "errors": [{"field": "body", "error": "so"}]})), "No. body: so."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_could_not_be_done_is_one_line(stack: Stack, says: str) -> None:
    """And an exit code that is not 0."""
    result = stack.run("dlq", "replay", ONE)
    assert result.exit_code == FAILED
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_stack_that_is_not_up_is_one_line() -> None:
    """Whatever is asked of it."""

    def away(*_: object) -> tuple[int, Any]:
        raise httpx.ConnectError("refused")

    for command in (("dlq", "list"), ("parked", "list"), ("refill", "payment.order.placed", "--since", "1h")):
        result = Stack(away).run(*command)
        assert result.exit_code == FAILED
        assert "Quartet is not up: `make up` starts it" in result.stderr
        assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        ("dlq", "replay", "--all", "--yes"),
        ("dlq", "drop", "--reason", "ValueError", "--why", "old"),
        ("parked", "release", "--all", "--yes"),
        ("parked", "release", ONE),
    ],
    ids=" ".join,
)
def test_where_one_service_is_away_nothing_is_changed_at_the_others(command: tuple[str, ...]) -> None:
    """Or an operator would be told of a failure, and half of what was meant would be done."""

    def answer(service: str, path: str, body: Any) -> tuple[int, Any]:
        if service == "notification":
            raise httpx.ConnectError("refused")
        if path == "/parked/release":
            return 200, {"ids": [ONE], "more": False}
        return 200, {"letters": [letter(done=not body["dry_run"])], "left": 0, "foreign": 0}

    stack = Stack(answer)
    result = stack.run(*command)
    assert result.exit_code == FAILED
    assert "notification does not answer" in result.stderr
    assert result.stderr.count("\n") == 1
    assert stack.asked
    assert all(body["dry_run"] for _, _, body in stack.asked)


def test_keys_are_issued_listed_and_revoked() -> None:
    """By order, as the operator; a key is named by its hash, which nobody has to work out."""
    seen = {"key_id": "ab" * 32, "created_at": "2026-01-02T03:04:05Z", "revoked_at": "2026-01-03T03:04:05Z"}

    def answer(_: str, path: str, body: Any) -> tuple[int, Any]:
        if path.endswith("/keys"):
            return (200, {"keys": [seen]}) if body is None else (201, {"key": "key_1"})
        return 204, None

    stack = Stack(answer)
    assert stack.run("key", "issue", "carl").stdout == "key_1\n"
    assert stack.run("key", "list", "carl").stdout.startswith(f"{seen['key_id']}  issued 2026-01-02T03:04:05Z, revoked")
    assert "Revoked" in stack.run("key", "revoke", "carl", "key_1").stdout
    assert stack.asked[-1][:2] == ("order", f"/customers/carl/keys/{hash_of('key_1').hex()}")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((404, {"detail": "No."}), "carl has no such key, or it was revoked before"),
        ((403, {"detail": "The key."}), "order: The key."),
        ((503, None), "order does not answer"),
    ],
    ids=str,
)
def test_a_key_that_cannot_be_revoked_is_one_line(answer: tuple[int, Any], says: str) -> None:
    """Also where what answers is not order, but what stands in front of it, with words of its own."""
    result = Stack(lambda *_: answer).run("key", "revoke", "carl", "key_1")
    assert result.exit_code == FAILED
    assert says in result.stderr
    assert result.stderr.count("\n") == 1


def test_what_is_parked_is_listed_and_released() -> None:
    """By id, or all."""
    row: dict[str, Any] = {
        "id": ONE,
        "what": "intent",
        "kind": "charge",
        "order_id": TWO,
        "attempts": 8,
        "last_error": "ValueError",
    }

    def answer(service: str, path: str, body: Any) -> tuple[int, Any]:
        if path == "/parked":
            return 200, {"parked": [row | {"parked_at": "2026-01-02T03:04:05Z"}] if service == "payment" else []}
        return 200, {"ids": [ONE] if service == "payment" else [], "more": False}

    stack = Stack(answer)
    result = stack.run("parked", "list")
    assert ONE in result.stdout
    assert "1 parked" in result.stdout
    assert "1 released" in stack.run("parked", "release", ONE).stdout
    assert stack.asked[-1] == ("payment", "/parked/release", {"ids": [ONE]})
    assert "1 would be released" in stack.run("parked", "release", "--all", "--dry-run").stdout
    refused = stack.run("parked", "release", "--all", typed="n\n")
    assert "Release 1 that is parked?" in refused.stderr
    assert refused.exit_code == 1
    assert stack.asked[-1][2]["dry_run"]
    assert "1 released" in stack.run("parked", "release", "--all", typed="y\n").stdout
    assert stack.asked[-1] == ("payment", "/parked/release", {"ids": [ONE]})  # and nothing that came meanwhile
    assert stack.run("parked", "release").exit_code == FAILED


def test_a_refill_goes_on_to_the_end_of_the_log() -> None:
    """It asks the owner of the lane's event alone, lot by lot, and counts."""
    lots = iter([{"refilled": 5, "next": "7-9"}, {"refilled": 2, "next": None}])
    stack = Stack(lambda *_: (200, next(lots)))
    result = stack.run("refill", "payment.stock.reserved", "--since", "2026-01-02T03:04:05+00:00")
    assert result.exit_code == 0, result.output
    assert "7 events of inventory's log since 2026-01-02 03:04:05 UTC" in result.stdout
    body: dict[str, Any] = {"lane": "payment.stock.reserved", "since": NOW.isoformat()}
    assert stack.asked == [("inventory", "/refill", body | {"after": after}) for after in (None, "7-9")]


@pytest.mark.parametrize(
    ("since", "when"),
    [
        ("30s", NOW - timedelta(seconds=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("2026-01-01T00:00:00+02:00", datetime(2025, 12, 31, 22, tzinfo=UTC)),
    ],
)
def test_since_when(since: str, when: datetime) -> None:
    """So long ago, or at a time."""
    assert since_when(since, NOW) == when


@pytest.mark.parametrize("since", ["", "2", "2 h", "yesterday", "9999999h", "999999d"])
def test_what_is_no_time(since: str) -> None:
    """Is refused."""
    with pytest.raises(StackError, match="neither"):
        since_when(since, NOW)


def test_who_owns_a_lane() -> None:
    """The service that publishes the event, not the one that reacts to it."""
    assert owner_of("order.payment.captured") == "payment"
    with pytest.raises(StackError, match="no lane"):
        owner_of("order.payment.lost")
