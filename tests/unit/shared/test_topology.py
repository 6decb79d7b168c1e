"""The broker's topology: derived from the tables, complete, and open to nobody but its owner."""

import re

import pytest

from infra.rabbitmq.users import permissions
from infra.topology import TABLES
from shared.topology import (
    DELAY_TIERS_MS,
    NEWS_MAX_MESSAGES,
    REDELIVERIES_MAX,
    Binding,
    Exchange,
    Lane,
    Queue,
    lanes_of,
    listening_to,
    topology_of,
)

TOPOLOGY = topology_of(TABLES)
LISTENING = listening_to(TABLES)
HEARD_ON = {*(each.name for each in LISTENING.exchanges), *(each.name for each in LISTENING.queues)}
SERVICES = [table.service for table in TABLES]
LANES = [lane for table in TABLES for lane in lanes_of(table)]
EXCHANGES = {exchange.name: exchange.type for exchange in TOPOLOGY.exchanges}
QUEUES = {queue.name: queue.arguments for queue in TOPOLOGY.queues}


def matching(pattern: str, names: set[str] | dict[str, object]) -> set[str]:
    """Give the names that the broker finds the pattern in."""
    return {name for name in names if re.search(pattern, name)}


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_has_its_exchanges(service: str) -> None:
    """Its events by type, its returns by lane, its delays and its dead letters whatever they are."""
    own = {name: kind for name, kind in EXCHANGES.items() if name.startswith(f"{service}.")}
    assert own == {
        f"{service}.events": "topic",
        f"{service}.return": "direct",
        f"{service}.dead": "fanout",
        **{f"{service}.delay.{tier_ms}ms": "fanout" for tier_ms in DELAY_TIERS_MS},
    }


def test_there_is_nothing_else() -> None:
    """Every exchange and every queue is some service's, and no name is used twice."""
    assert len(TOPOLOGY.exchanges) == len(EXCHANGES) == 6 * len(SERVICES)
    assert len(TOPOLOGY.queues) == len(QUEUES) == len(LANES) + 4 * len(SERVICES)
    assert len(TOPOLOGY.bindings) == len(set(TOPOLOGY.bindings)) == 2 * len(LANES) + 4 * len(SERVICES)


@pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.queue)
def test_lanes(lane: Lane) -> None:
    """A lane is fed by its event's owner and by its own service's returns, and by nothing else."""
    service, event = lane.service, lane.event
    queue = f"{service}.{event.kind.name}"
    assert {binding for binding in TOPOLOGY.bindings if binding.queue == queue} == {
        Binding(f"{event.kind.owner}.events", queue, event.kind.name),
        Binding(f"{service}.return", queue, queue),
    }
    assert QUEUES[queue] == {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": f"{service}.dead",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-delivery-limit": REDELIVERIES_MAX,
    }


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("tier_ms", DELAY_TIERS_MS)
def test_delays(service: str, tier_ms: int) -> None:
    """A delay keeps what it holds for its time, and gives it back by the key it came with, to this service alone."""
    name = f"{service}.delay.{tier_ms}ms"
    assert QUEUES[name] == {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": f"{service}.return",
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
        "x-message-ttl": tier_ms,
    }
    assert [binding for binding in TOPOLOGY.bindings if binding.queue == name] == [Binding(name, name, "")]


@pytest.mark.parametrize("service", SERVICES)
def test_dead_letters(service: str) -> None:
    """What is set aside neither expires nor moves on, however often somebody looks at it."""
    name = f"{service}.dead"
    assert QUEUES[name].keys() == {"x-queue-type", "x-delivery-limit"}
    assert QUEUES[name]["x-queue-type"] == "quorum"
    assert QUEUES[name]["x-delivery-limit"] >= 1_000_000
    assert [binding for binding in TOPOLOGY.bindings if binding.queue == name] == [Binding(name, name, "")]


def test_whatever_is_named_exists() -> None:
    """Bindings and dead-letter exchanges lead nowhere else: a missing one drops messages in silence."""
    arguments = QUEUES.values()
    assert {binding.queue for binding in TOPOLOGY.bindings} == QUEUES.keys()
    assert {
        each["x-dead-letter-exchange"] for each in arguments if "x-dead-letter-exchange" in each
    } <= EXCHANGES.keys()
    silent = {f"{table.service}.events" for table in TABLES if not table.published}
    assert {binding.exchange for binding in TOPOLOGY.bindings} == EXCHANGES.keys() - silent


def test_nothing_has_a_maximum_length() -> None:
    """One full lane would stop every publish to its exchange."""
    assert not [name for name, arguments in QUEUES.items() if {"x-max-length", "x-max-length-bytes"} & arguments.keys()]


def test_a_listener_hears_every_service_on_a_queue_that_stays_short() -> None:
    """And on nothing that an event goes through: a publish that only a listener takes must come back."""
    assert LISTENING.exchanges == [Exchange(f"{service}.news", "fanout") for service in SERVICES]
    arguments = {"x-queue-type": "classic", "x-max-length": NEWS_MAX_MESSAGES, "x-overflow": "drop-head"}
    assert LISTENING.queues == [Queue("dashboard.news", arguments)]
    assert set(LISTENING.bindings) == {Binding(f"{service}.news", "dashboard.news", "") for service in SERVICES}
    assert not {exchange.name for exchange in LISTENING.exchanges} & EXCHANGES.keys()
    assert not LISTENING.lanes


def test_a_listener_only_reads() -> None:
    """Its own queue, and nothing else."""
    mine = permissions("dashboard")
    everything = {*EXCHANGES, *QUEUES, *HEARD_ON, "amq.topic"}
    assert matching(mine["read"], everything) == {"dashboard.news"}
    assert not matching(mine["write"], everything)
    assert not matching(mine["configure"], everything)


@pytest.mark.parametrize("service", SERVICES)
def test_may_declare_nothing(service: str) -> None:
    """A service declares nothing, not even what is its own."""
    pattern = permissions(service)["configure"]
    assert not matching(pattern, {*EXCHANGES, *QUEUES, "amq.topic", f"{service}.events.too"})


@pytest.mark.parametrize("service", SERVICES)
def test_may_publish_to_its_own(service: str) -> None:
    """To its events, its delays, its returns and its dead letters; to nobody else's, and not to the default."""
    pattern = permissions(service)["write"]
    delays = {f"{service}.delay.{tier_ms}ms" for tier_ms in DELAY_TIERS_MS}
    own = {*delays, *(f"{service}.{name}" for name in ("events", "return", "dead", "news"))}
    others = {f"a{service}.events", f"{service}.events.a", f"{service}xevents", "", "amq.default", "amq.topic"}
    assert matching(pattern, {*EXCHANGES, *QUEUES, *HEARD_ON, *others}) == own


@pytest.mark.parametrize("service", SERVICES)
def test_may_consume_its_own(service: str) -> None:
    """Its lanes, its delays and its dead letters; no queue of anybody else."""
    pattern = permissions(service)["read"]
    delays = {f"{service}.delay.{tier_ms}ms" for tier_ms in DELAY_TIERS_MS}
    lanes = {lane.queue for lane in LANES if lane.service == service}
    assert matching(pattern, set(QUEUES)) == {*lanes, *delays, f"{service}.dead"}
    assert matching(pattern, set(EXCHANGES)) == {name for name in EXCHANGES if name.split(".")[0] == service}
    assert not matching(pattern, {f"a{service}.dead", service, "amq.topic"})


def test_tiers_can_be_chosen() -> None:
    """Other tiers make other delays, and the same lanes."""
    topology = topology_of(TABLES, [5])
    delays = {exchange for exchange in topology.exchanges if ".delay." in exchange.name}
    assert delays == {Exchange(f"{service}.delay.5ms", "fanout") for service in SERVICES}
    assert {lane.queue for lane in LANES} < {queue.name for queue in topology.queues}
