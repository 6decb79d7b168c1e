"""What the dashboard tells of an order, from what was logged and the choreography alone."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

import pytest

from infra.choreography.as_json import as_json
from infra.choreography.reading import choreography
from services.dashboard.dance import WRITTEN, dance
from services.dashboard.log import Asked, Happened, Verdict
from services.dashboard.story import Kind, Status, Story, tell

KNOWN = Path(__file__).parents[2] / "simulation" / "known_histories.json"
HISTORIES: list[list[list[str]]] = json.loads(KNOWN.read_text())
SERVICES = ("order", "inventory", "payment", "notification")
ORDER = UUID("01900000-0000-7000-8000-000000000001")
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
UNLOGGED = uuid5(ORDER, "a command or an answer")


def happened(service: str, name: str, number: int, cause: Happened | None = None) -> Happened:
    """Make an event of the order, so many steps after its beginning."""
    return Happened(
        event_id=uuid5(ORDER, f"{service} {number}"),
        order_id=ORDER,
        service=service,
        name=name,
        type=f"{name}.v1",
        version=number,
        causation_id=cause.event_id if cause else UNLOGGED,
        at=BEGAN + timedelta(milliseconds=number),
    )


def played(history: Sequence[Sequence[str]]) -> list[Happened]:
    """Put the logs of a history into one order in which every event has its cause before it."""
    left = {service: [each.rpartition(".")[0] for each in log] for service, log in zip(SERVICES, history, strict=True)}
    log: list[Happened] = []
    while any(left.values()):
        service, cause = next(_ready(left, log))
        log.append(happened(service, left[service].pop(0), len(log) + 1, cause))
    return log


def _ready(left: dict[str, list[str]], log: Sequence[Happened]) -> Iterator[tuple[str, Happened | None]]:
    """Give what may come next: what a logged event causes, then answers from outside, then what a customer wants."""
    used = {(event.service, event.causation_id) for event in log}
    nexts = [(service, names[0]) for service, names in left.items() if names]
    for service, name in nexts:
        for reaction in dance().who_may_cause(service, name):
            for cause in log:
                if cause.name == reaction.event and (service, cause.event_id) not in used:
                    yield service, cause
    meant = {wait.name for wait in tell(dance(), log).waits}
    for service, name in nexts:
        for reaction in dance().who_may_cause(service, name):
            if any(reaction.event in intent.answered_by for name, intent in dance().intents.items() if name in meant):
                yield service, None
    yield from ((service, None) for service, _ in nexts)


def story_of(log: Sequence[Happened], whole: Sequence[Happened]) -> Story:
    """Tell the story of a beginning, where all that nobody ever reacted to is known to be ignored."""
    done = {Asked(event.service, event.causation_id) for event in whole}
    verdicts = {
        asked: Verdict("ignored")
        for event in log
        for reaction in dance().who_reacts(event.name)
        if (asked := Asked(reaction.service, event.event_id)) not in done
    }
    return tell(dance(), log, verdicts)


def test_the_dashboard_knows_the_dance_of_the_code() -> None:
    """`python -m infra.choreography` has been run."""
    assert WRITTEN.read_text() == as_json(choreography())


@pytest.mark.parametrize("history", HISTORIES, ids=map(str, range(len(HISTORIES))))
def test_every_beginning_of_a_known_history_says_what_comes_next(history: list[list[str]]) -> None:
    """Until the order is settled something is waited for; once everything has happened, nothing is."""
    whole = played(history)
    for so_far in range(1, len(whole) + 1):
        story = story_of(whole[:so_far], whole)
        assert story.settled or story.waits, [event.name for event in whole[:so_far]]
    assert story.settled
    assert story.waits == ()
    cancelled = "order.cancelled" in {event.name for event in whole}
    assert story.status is (Status.COMPENSATED if cancelled else Status.COMPLETED)


def test_a_stopped_service_is_named_with_its_reaction() -> None:
    """Payment stands still: both of its reactions are waited for, the one that decides and is longest due first."""
    placed = happened("order", "order.placed", 1)
    reserved = happened("inventory", "stock.reserved", 2, placed)
    story = tell(dance(), [placed, reserved])
    assert [(wait.name, wait.since) for wait in story.waits] == [
        ("payment.learn_amount", placed.at),
        ("payment.learn_stock", reserved.at),
        ("order.deadline", placed.at),
    ]
    assert story.status is Status.RUNNING


def test_a_provider_that_does_not_answer_is_an_intent() -> None:
    """The charge is not logged; what was logged with it stands for it, and what follows says that it is over."""
    placed = happened("order", "order.placed", 1)
    amount = happened("payment", "payment.amount_learned", 2, placed)
    reserved = happened("inventory", "stock.reserved", 3, placed)
    charging = happened("payment", "payment.charge_intended", 4, reserved)
    story = tell(dance(), [placed, amount, reserved, charging])
    assert [(wait.kind, wait.name) for wait in story.waits] == [
        (Kind.INTENT, "payment.charge"),
        (Kind.TIMER, "order.deadline"),
    ]
    captured = happened("payment", "payment.captured", 5)
    *_, last = tell(dance(), [placed, amount, reserved, charging, captured]).steps
    assert (last.cause, last.answered, last.after) == (charging, "payment.charge", timedelta(milliseconds=1))


def test_what_was_set_aside_is_waited_for_as_a_letter() -> None:
    """Nothing comes of it until a person acts; why it failed is told."""
    placed = happened("order", "order.placed", 1)
    verdicts = {Asked("inventory", placed.event_id): Verdict("dead", "KeyError")}
    waits = {wait.name: wait for wait in tell(dance(), [placed], verdicts).waits}
    assert (waits["inventory.reserve"].kind, waits["inventory.reserve"].why) == (Kind.LETTER, "KeyError")


def test_what_is_only_not_read_yet_is_never_late() -> None:
    """Both services have reacted and one's log was not read: whoever has not reacted is named first."""
    placed = happened("order", "order.placed", 1)
    verdicts = {Asked("inventory", placed.event_id): Verdict("advanced")}
    story = tell(dance(), [placed], verdicts)
    assert [(wait.kind, wait.name, wait.can_be_late) for wait in story.waits] == [
        (Kind.REACTION, "payment.learn_amount", True),
        (Kind.UNREAD, "inventory.reserve", False),
        (Kind.TIMER, "order.deadline", False),
    ]
    assert not story.settled
    reserved = happened("inventory", "stock.reserved", 2, placed)
    assert Kind.UNREAD not in {wait.kind for wait in tell(dance(), [placed, reserved], verdicts).waits}


def test_what_was_set_aside_is_waited_for_however_long_ago() -> None:
    """An inbox forgets what it ignored, and of that nothing is awaited; a dead letter waits for a person for ever."""
    placed = happened("order", "order.placed", 1)
    amount = happened("payment", "payment.amount_learned", 2, placed)
    reserved = happened("inventory", "stock.reserved", 3, placed)
    charging = happened("payment", "payment.charge_intended", 4, reserved)
    captured = happened("payment", "payment.captured", 5)
    confirmed = happened("order", "order.confirmed", 6, captured)
    cancelled = happened("order", "order.cancelled", 7)
    log = [placed, amount, reserved, charging, captured, confirmed, cancelled]
    ages_ago = BEGAN + timedelta(days=1)
    assert tell(dance(), log, {}, ages_ago).waits == ()
    story = tell(dance(), log, {Asked("payment", cancelled.event_id): Verdict("dead", "KeyError")}, ages_ago)
    assert [(wait.kind, wait.service, wait.on) for wait in story.waits] == [(Kind.LETTER, "payment", cancelled)]
    assert (story.status, story.settled) == (Status.COMPENSATING, False)


def test_a_mail_keeps_no_order_open() -> None:
    """The books are closed; the customer is still to be told."""
    history = next(
        each for each in HISTORIES if "order.confirmed.v1" in each[0] and "order.cancelled.v1" not in each[0]
    )
    whole = [event for event in played(history) if event.service != "notification"]
    story = tell(dance(), whole)
    assert story.status is Status.COMPLETED
    assert [wait.name for wait in story.waits] == ["notification.tell_confirmed"]


def test_a_cause_comes_before_what_it_caused_whatever_the_clocks_say() -> None:
    """A database whose clock is behind logs the answer before the question."""
    placed = happened("order", "order.placed", 9)
    early = happened("inventory", "stock.reserved", 1, placed)
    steps = tell(dance(), [early, placed]).steps
    assert [step.event for step in steps] == [placed, early]
    assert steps[1].after == timedelta(milliseconds=-8)


def test_what_of_an_order_is_known_before_its_beginning() -> None:
    """The feeds are read apart: an order of which only inventory has told yet is not over."""
    story = tell(dance(), [happened("inventory", "stock.rejected", 2)])
    assert not story.settled
    assert story.status is Status.RUNNING
    assert not tell(dance(), []).settled
