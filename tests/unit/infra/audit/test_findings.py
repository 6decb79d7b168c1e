"""What is held against which rule, and what is looked at twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from infra.audit.facts import Bounds, Letter, Posted, Saga, Unreadable, Waiting
from infra.audit.findings import BROKEN_MAX, EVERY_RULE, Break, Findings, confirm, hold_order
from infra.audit.rules import OUTBOXES
from services.inventory.state import Held
from services.notification.state import Progress
from tests.unit.infra.audit.worlds import EARLIER, NOW, sold, spoilt
from tests.unit.services import builders as b

LOST = "reacted-to"


def judged(saga: Saga) -> Findings:
    """Hold an order against every rule, as if it was looked at twice and was the same both times."""
    findings = Findings.of(EVERY_RULE)
    if hold_order(findings, saga):
        confirm(findings, saga)
    return findings


def lost(bounds: Bounds | None = None) -> Saga:
    """Give an order whose confirmation never reached notification."""
    return spoilt(sold(bounds), "notification", state=None, version=0, log=(), inbox={})


def test_a_world_as_it_should_be_breaks_nothing() -> None:
    """The same rules as over the databases, over facts in memory."""
    findings = judged(sold())
    assert findings.is_clean
    assert findings.tallies["sold-in-full"].checked == 1
    assert findings.tallies["gapless"].checked == 4


def test_what_lies_between_the_books_is_noted_at_the_second_look_alone() -> None:
    """The first look only tells that there has to be a second; what is right by then was a race."""
    findings = Findings.of(EVERY_RULE)
    assert hold_order(findings, lost())
    assert findings.is_clean
    confirm(findings, sold())
    assert findings.is_clean
    confirm(findings, lost())
    assert findings.broken == {LOST: 1}


def test_what_holds_at_every_instant_is_noted_at_once() -> None:
    """Inside one snapshot there are no races."""
    findings = Findings.of(EVERY_RULE)
    assert not hold_order(findings, spoilt(sold(Bounds(settled_for_s=3600)), "order", version=4))
    assert findings.broken == {"gapless": 1}


def test_an_order_that_is_not_at_rest_is_not_held_against_the_others() -> None:
    """Nothing is demanded between books before the bound is over, nor of an order that goes on."""
    assert judged(lost(Bounds(settled_for_s=59))).broken == {LOST: 1}
    assert judged(lost(Bounds(settled_for_s=61))).is_clean
    log = sold().parts["payment"].log
    moved = spoilt(lost(), "payment", log=(*log[:-1], log[-1]._replace(occurred_at=NOW)))
    assert judged(moved).is_clean


@pytest.mark.parametrize("queue", ["notification.order.confirmed", "notification.delay.1000ms", "notification.dead"])
def test_what_lies_in_a_queue_is_on_its_way(queue: str) -> None:
    """In its lane, among the retries, or not yet drained, as long as it is young."""
    assert judged(replace(lost(), lanes={queue: 1})).is_clean
    assert judged(replace(lost(), lanes={queue: 0})).broken == {LOST: 1}
    assert judged(replace(lost(), lanes={"payment.stock.reserved": 1})).broken == {LOST: 1}
    assert LOST in judged(replace(lost(Bounds(overdue_s=30)), lanes={queue: 1})).broken


def test_what_lies_in_an_outbox_is_on_its_way() -> None:
    """It was not published yet; past the bound that is a break of its own."""
    event_id = sold().parts["order"].log[1].event_id
    outbox = {event_id: Waiting("order.confirmed.v1", EARLIER, parked=False)}
    assert judged(spoilt(lost(), "order", outbox=outbox)).is_clean
    late = spoilt(lost(Bounds(overdue_s=30)), "order", outbox=outbox)
    assert set(judged(late).broken) == {LOST, "published"}


def test_a_dead_letter_is_where_an_event_may_end() -> None:
    """Set aside is not lost."""
    event_id = sold().parts["order"].log[1].event_id
    letter = Letter(b.ORDER, "notification.order.confirmed", event_id, "order.confirmed.v1", "")
    assert judged(spoilt(lost(), "notification", letters=(letter,))).is_clean


def test_what_an_inbox_may_have_forgotten_is_not_asked_of_it() -> None:
    """Its retention ends, and the log goes on."""
    young, old = Bounds(inbox_sure_s=90), Bounds(inbox_sure_s=30)
    assert set(judged(spoilt(sold(young), "payment", inbox={})).broken) == {"caused", LOST}
    assert judged(spoilt(sold(old), "payment", inbox={})).is_clean


def test_an_order_that_is_open_is_given_the_bound() -> None:
    """From its last event on."""
    order = sold().parts["order"]
    placed = spoilt(sold(), "order", log=order.log[:1], version=1, state=replace(order.state, status=b.PENDING.status))
    open_ = replace(placed, parts={**sold().parts, "order": placed.parts["order"]})
    assert "ends" not in judged(open_).broken
    assert "ends" in judged(replace(open_, bounds=Bounds(overdue_s=30))).broken


def test_an_intent_is_given_the_bound() -> None:
    """From when it was due."""
    waiting = Waiting("undo", NOW - timedelta(seconds=299), parked=False)
    assert judged(spoilt(sold(), "payment", intents=(waiting,))).is_clean
    late = waiting._replace(since=NOW - timedelta(seconds=301))
    assert judged(spoilt(sold(), "payment", intents=(late,))).broken == {"asked": 1}


@pytest.mark.parametrize(
    ("service", "state", "kind"),
    [
        ("order", b.PENDING, "deadline"),
        ("payment", b.CHARGING, "charge"),
        ("payment", b.UNDOING, "undo"),
        ("notification", b.told(confirmed=Progress.RECORDED), "send_confirmed"),
        ("notification", b.told(confirmed=Progress.SENT, cancelled=Progress.RECORDED), "send_cancelled"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_waits_for_an_answer_has_somebody_who_asks(service: str, state: object, kind: str) -> None:
    """Without the intent it would wait for ever, and a mail that nobody sends keeps no order from being settled."""
    waiting = Waiting(f"{kind} {b.ORDER}", NOW, parked=False)
    assert "intended" not in judged(spoilt(sold(), service, state=state, intents=(waiting,))).broken
    assert "intended" in judged(spoilt(sold(), service, state=state)).broken


def test_a_state_that_nobody_can_read_is_a_break_and_no_crash() -> None:
    """The audit goes on with what it can read."""
    unreadable = spoilt(sold(), "payment", state=Unreadable("a row that is no state (ValidationError)"))
    findings = judged(unreadable)
    assert findings.broken == {"as-told": 1}
    assert findings.breaks[0].how == "payment stored a row that is no state (ValidationError)"


def test_stock_that_is_held_for_a_confirmed_order_is_not_sold() -> None:
    """Held is not committed."""
    held = spoilt(sold(), "inventory", state=Held(b.ORDER, b.LINES))
    assert set(judged(held).broken) == {"as-told", "sold-in-full"}


def test_an_event_under_another_id_is_found_by_nobody() -> None:
    """Whoever looks for an order looks for its id."""
    log = sold().parts["payment"].log
    astray = spoilt(sold(), "payment", log=(*log[:-1], log[-1]._replace(correlation_id=log[-1].event_id)))
    assert judged(astray).broken == {"correlated": 1}


def test_an_order_is_told_of_at_its_own_address() -> None:
    """What it is told of with is in its log, and where it may be told of in its row; neither is in what is found."""
    order = sold().parts["order"]
    moved = judged(spoilt(sold(), "order", state=replace(order.state, email="eve@example.org")))
    assert "own-address" in moved.broken
    assert not any("example.org" in each.how for each in moved.breaks if each.rule == "own-address")


@pytest.mark.parametrize(("is_logged", "broken"), [(True, {}), (False, {"in-the-log": 1})])
def test_a_row_of_an_outbox_is_of_an_event(is_logged: bool, broken: dict[str, int]) -> None:
    """One without is published by nobody."""
    findings = Findings.of(EVERY_RULE)
    findings.hold(OUTBOXES, Posted(b.ORDER, is_logged), "order")
    assert findings.broken == broken


def test_breaks_are_bounded() -> None:
    """Past the bound they are counted, and not kept."""
    findings = Findings.of(EVERY_RULE)
    for number in range(BROKEN_MAX + 5):
        findings.note([Break("gapless", str(number), "so")])
    assert len(findings.breaks) == BROKEN_MAX
    assert findings.tallies["gapless"].broken == BROKEN_MAX + 5
