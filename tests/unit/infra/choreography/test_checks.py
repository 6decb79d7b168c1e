"""Each check is green on the dance of the four services and on a toy, and red on a toy that is spoilt in one way."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from infra.choreography.checks import CHECKS, findings
from infra.choreography.graph import Choreography, Event, Intent, Reaction
from infra.choreography.reading import choreography
from shared.outcome import FOR_EVER
from shared.topology import DELAY_TIERS_MS, Queue, Topology
from tests.unit.infra.choreography.toys import SHOP, TILL, but, dance

SPOILT: dict[str, list[tuple[Choreography, str]]] = {
    "owned": [
        (
            but(Event("opened", "opened.v1", "bank")),
            "opened belongs to bank, which is no service",
        ),
        (
            but(Reaction(TILL, "charged", "take", causes=("paid", "sold"))),
            "till.take causes sold, which belongs to shop",
        ),
    ],
    "caused": [
        (
            but(Event("left_over", "left_over.v1", SHOP, final=True)),
            "nothing leads to left_over: no reaction causes it, and it is neither a command nor an answer",
        ),
        (
            but(Event("stopped", "stopped.v1", SHOP, command=True)),
            "stopped is a command, and shop.end causes it",
        ),
    ],
    "heard": [
        (
            but(Event("over", "over.v1", SHOP, public=False)),
            "nobody reacts to over, and it is not final",
        ),
        (
            but(Event("paid", "paid.v1", TILL, final=True)),
            "paid is final, and shop.sell reacts to it",
        ),
    ],
    "reachable": [
        (
            but(Event("opened", "opened.v1", SHOP, public=False)),
            "till.hold reacts to opened, which is private to shop",
        ),
        (
            but(Reaction(SHOP, "opened", "see", causes=("sold",))),
            "shop.see reacts to opened of its own service, which nothing brings back to it",
        ),
    ],
    "no-circle": [
        (
            but(Reaction(SHOP, "paid", "sell", causes=("sold", "opened"))),
            "an event leads back to itself: ",
        ),
    ],
    "ends": [
        (
            but(Reaction(TILL, "opened", "hold", intends=("till.charge",), takes="seats")),
            "till.hold comes to nothing: it causes no event",
        ),
    ],
    "carried-out": [
        (
            but(Intent(TILL, "charge", ("charged",), "patience_s", performed=False)),
            "nobody carries out till.charge",
        ),
        (
            but(Intent(TILL, "charge", (), "patience_s")),
            "nothing answers till.charge",
        ),
        (
            but(without=["till.take"]),
            "till.charge is answered by charged, and till does not react to it",
        ),
        (
            but(Intent(TILL, "charge", ("charged", "ask"), "patience_s")),
            "till.charge is answered by ask, which belongs to shop",
        ),
        (
            but(Intent(SHOP, "wait", ("stop",), FOR_EVER, timer=True)),
            "nobody intends shop.wait, which shop would carry out",
        ),
        (
            but(Intent(TILL, "wait", ("charged",), FOR_EVER, timer=True),
                Reaction(TILL, "charged", "take", causes=("paid",), withdraws=("till.wait",))),
            "till.take withdraws till.wait, which nobody intends",
        ),
    ],
    "bounded": [
        (
            but(Intent(TILL, "charge", ("charged",), "patience_ms")),
            "the bound of till.charge, 'patience_ms', is no setting of till",
        ),
    ],
    "undone": [
        (
            but(Reaction(TILL, "stopped", "give_back", causes=("returned",), intends=("till.undo",))),
            "till.hold takes seats, and no cancellation leads to a reaction that undoes it",
        ),
        (
            but(Reaction(TILL, "stopped", "give_back", causes=("returned",), undoes=("till.hold",))),
            "till.charge changes the outside world, and no cancellation leads to an intent that undoes it",
        ),
        (
            but(Intent(TILL, "undo", ("undone",), FOR_EVER)),
            "till.charge changes the outside world, and no cancellation leads to an intent that undoes it",
        ),
        (
            but(Event("returned", "returned.v1", TILL)),
            "till.hold takes seats, and no cancellation leads to a reaction that undoes it",
        ),
    ],
    "closed": [
        (
            but(Reaction(TILL, "undone", "give", causes=("noted",))),
            "till.give may answer stopped with noted, which does not close it",
        ),
        (
            but(Reaction(TILL, "stopped", "give_back", causes=("noted",), undoes=("till.hold",))),
            "till.give_back may answer stopped with noted, which does not close it",
        ),
        (
            but(Reaction(TILL, "stopped", "give_back", undoes=("till.hold",))),
            "till.give_back does not answer stopped",
        ),
        (
            but(Reaction(TILL, "charged", "take", causes=("paid", "returned"))),
            "till.take may cause returned, and no stopped leads to it",
        ),
        (
            but(Reaction(SHOP, "returned", "close", causes=("over", "opened")),
                Reaction(TILL, "opened", "hold", causes=("returned",))),
            "stopped is closed by returned, and then again by returned",
        ),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("check", "spoilt", "line"), [(c, *case) for c, cases in SPOILT.items() for case in cases])
def test_red(check: str, spoilt: Choreography, line: str) -> None:
    """What is spoilt is found, under the name of the check, in one line that says what it is."""
    told = [finding.how for finding in findings(spoilt) if finding.check == check]
    assert [how for how in told if how.startswith(line)], told


def taken(field: str, is_gone: Callable[[Any], bool]) -> Choreography:
    """Take something away from the topology of the toy."""
    whole = dance()
    left = [each for each in getattr(whole.topology, field) if not is_gone(each)]
    assert len(left) < len(getattr(whole.topology, field))
    return replace(whole, topology=replace(whole.topology, **{field: left}))


def waits(ms: int, queue: Queue) -> bool:
    """Say whether a queue is the delay of a tier."""
    return queue.name == f"till.delay.{ms}ms"


LANES = [
    (replace(dance(), topology=Topology()), "till reacts to opened, and no lane brings it"),
    (replace(but(without=["till.hold"]), topology=dance().topology),
     "there is a lane of opened at till, which does not react to it"),
    (taken("queues", lambda q: q.name == "till.opened"), "the lane till.opened has no queue"),
    (taken("bindings", lambda b: b.exchange == "shop.events"), "the lane till.opened has no binding to shop.events"),
    (taken("bindings", lambda b: b.exchange == "till.return"), "the lane till.opened has no binding to till.return"),
    (taken("queues", lambda q: q.name == "till.dead"), "the lane till.opened has no dead letters"),
    (taken("exchanges", lambda e: e.name == "till.dead"), "the lane till.opened has no dead letters"),
    (taken("bindings", lambda b: b.queue == "till.dead"), "the lane till.opened has no dead letters"),
    *((taken("queues", partial(waits, ms)), f"the lane till.opened has no delay of {ms:,} ms")
      for ms in DELAY_TIERS_MS),
]  # fmt: skip


@pytest.mark.parametrize(("spoilt", "line"), LANES)
def test_red_lanes(spoilt: Choreography, line: str) -> None:
    """A lane without all that belongs to it is found, and so is one that is missing, or one too many."""
    assert line in [finding.how for finding in findings(spoilt) if finding.check == "lanes"]


@pytest.mark.parametrize("whole", [dance(), choreography()], ids=["toy", "quartet"])
def test_green(whole: Choreography) -> None:
    """The toy keeps every promise, and so do the four services."""
    assert findings(whole) == []


def test_every_check_has_been_red() -> None:
    """No check is without a dance that it refuses, and none has the name of another."""
    assert [check.name for check in CHECKS] == [*SPOILT, "lanes"]
