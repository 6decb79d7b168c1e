"""What a broker has against what is wanted: what is missing, what differs, what is too much, and what that costs."""

from dataclasses import replace

import pytest

from infra.topology import TABLES
from infra.topology.drift import Part, drift_of, lanes_to_refill, name_of, topology_with
from shared.topology import Binding, Exchange, Queue, topology_of
from tests.unit.infra import brokers

WANTED = topology_of(TABLES)
SOUND = brokers.just_as(WANTED)
LANE = "payment.stock.reserved"
FEEDING = Binding("inventory.events", LANE, "stock.reserved")
RETURNING = Binding("payment.return", LANE, LANE)
PARTS: list[Part] = [*WANTED.exchanges, *WANTED.queues, *WANTED.bindings]


def test_nothing_to_tell_of() -> None:
    """What every broker has beside ours is no matter of ours."""
    drift = drift_of(WANTED, SOUND)
    assert (drift.missing, drift.differing, drift.extra) == ([], [], [])


@pytest.mark.parametrize("part", PARTS, ids=name_of)
def test_whatever_is_missing_is_seen(part: Part) -> None:
    """Each exchange and each queue with its bindings, each binding alone; and nothing else."""
    drift = drift_of(WANTED, brokers.without(SOUND, part))
    along: list[Binding] = []
    if isinstance(part, Exchange):
        along = [binding for binding in WANTED.bindings if binding.exchange == part.name]
    if isinstance(part, Queue):
        along = [binding for binding in WANTED.bindings if binding.queue == part.name]
    assert drift.missing == [part, *along]
    assert (drift.differing, drift.extra) == ([], [])


def test_everything_can_be_missing() -> None:
    """And is given in the order in which it can be declared."""
    drift = drift_of(WANTED, brokers.without(SOUND, *PARTS))
    assert drift.missing == PARTS
    assert topology_with(drift.missing) == replace(WANTED, lanes=[])


@pytest.mark.parametrize(
    "others",
    [{"type": "fanout"}, {"durable": False}, {"auto_delete": True}, {"internal": True}, {"arguments": {"a": 1}}],
    ids=str,
)
def test_an_exchange_that_differs(others: dict[str, object]) -> None:
    """It is told of, and not declared: the broker would refuse."""
    (first, *rest) = WANTED.exchanges
    found = [brokers.exchange(first, **others), *map(brokers.exchange, rest)]
    drift = drift_of(WANTED, replace(SOUND, exchanges=found))
    assert (drift.missing, len(drift.differing)) == ([], 1)
    assert first.name in drift.differing[0]


@pytest.mark.parametrize(
    "others",
    [{"arguments": {}}, {"arguments": {"x-queue-type": "classic"}}, {"durable": False}, {"auto_delete": True},
     {"exclusive": True}],
    ids=str,
)  # fmt: skip
def test_a_queue_that_differs(others: dict[str, object]) -> None:
    """So it is with queues: what lies in it would be lost with it."""
    (first, *rest) = WANTED.queues
    found = [brokers.queue(first, **others), *map(brokers.queue, rest)]
    drift = drift_of(WANTED, replace(SOUND, queues=found))
    assert (drift.missing, len(drift.differing)) == ([], 1)
    assert first.name in drift.differing[0]


@pytest.mark.parametrize(
    ("extra", "kind", "told"),
    [
        (Binding("inventory.events", LANE, "stock.rejected"), "queue", True),
        (Binding("amq.topic", LANE, "#"), "queue", True),
        (Binding("amq.topic", "payment.return", "#"), "exchange", True),
        (Binding("inventory.events", "observer.screen", "#"), "queue", False),
    ],
)
def test_what_brings_us_more_than_we_expect(extra: Binding, kind: str, told: bool) -> None:
    """To our queues and exchanges; who listens to us with a queue of their own is free to."""
    drift = drift_of(WANTED, replace(SOUND, bindings=[*SOUND.bindings, brokers.binding(extra, kind)]))
    assert drift.missing == []
    assert [extra.queue in line for line in drift.extra] == [True] * told


@pytest.mark.parametrize(
    ("part", "lanes"),
    [
        (Exchange("inventory.events", "topic"), set()),
        (Queue(LANE, {}), {LANE}),
        (FEEDING, {LANE}),
        (RETURNING, {LANE}),
        (Queue("payment.delay.1000ms", {}), {"payment.order.placed", "payment.order.cancelled", LANE}),
        (Queue("payment.dead", {}), {"payment.order.placed", "payment.order.cancelled", LANE}),
        (Binding("payment.dead", "payment.dead", ""), set()),
    ],
    ids=repr,
)
def test_what_it_costs(part: Part, lanes: set[str]) -> None:
    """The lanes that may lack events; none where whoever publishes is not told that it arrived."""
    assert {lane.queue for lane in lanes_to_refill(WANTED, part)} == lanes
