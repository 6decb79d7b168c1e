"""The operator's other commands, and what all have in common: what they ask of whom, what they say, how they end."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from infra.failure import StackError
from scripts.refill import owner_of, since_when
from scripts.sentences import FAILED
from services.order.keys import hash_of
from tests.unit.scripts.operations_stage import ONE, TWO, Stack, letter, payment_has

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


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
    nothing = Stack(lambda *_: (200, {"ids": [], "more": False}))
    assert "0 released" in nothing.run("parked", "release", "--all").stdout


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
