"""The operator's commands for dead letters: what they ask of which service, what they say, and how they end."""

from typing import Any

import orjson
import pytest

from infra.ports import SERVICES
from scripts.sentences import FAILED
from tests.unit.scripts.operations_stage import ONE, TWO, Stack, letter, payment_has


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


def test_a_letter_is_shown_by_whoever_has_it() -> None:
    """Where nobody has it, one line says so."""
    stack = Stack(lambda service, *_: (200, letter(body="[•••]")) if service == "payment" else (404, {"detail": "no"}))
    result = stack.run("dlq", "show", ONE)
    assert result.exit_code == 0
    assert "[•••]" in result.stdout
    result = Stack(lambda *_: (404, {"detail": "no"})).run("dlq", "show", ONE)
    assert (result.exit_code, result.stderr) == (FAILED, f"quartet: no service has a dead letter {ONE}\n")


def test_what_a_stranger_wrote_does_nothing_to_the_terminal() -> None:
    """Neither in the list nor where a letter is opened."""
    hostile = letter(error_class="\x1b[31mred", lane="payment.order.placed")
    stack = Stack(lambda service, path, _: (200, hostile if path.endswith(ONE) else {"letters": [hostile], "left": 0}))
    for arguments in (("list",), ("show", ONE)):
        printed = stack.run("dlq", *arguments).stdout
        assert "red" in printed
        assert "\x1b" not in printed


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
