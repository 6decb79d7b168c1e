"""What a reaction returns is what its table declares; and what one service tells, another one listens to."""

from collections import Counter

import pytest

from shared.event import VOCABULARY, Event
from shared.outcome import Advanced, Intent
from shared.topology import lanes_of
from tests.unit.services.representatives import ALL, TABLES, Service

CONSUMED = {(table.service, event) for table in TABLES for event in table.consumed}
PUBLISHED = {(table.service, event) for table in TABLES for event in table.published}


def caused(service: Service) -> dict[type[Event], set[type[Event] | type[Intent]]]:
    """Collect what each event really causes in some state."""
    found: dict[type[Event], set[type[Event] | type[Intent]]] = {row.event: set() for row in service.table}
    for name, _, outcome in service.outcomes():
        if isinstance(outcome, Advanced):
            found[type(service.events[name])] |= {type(event) for event in outcome.events}
            found[type(service.events[name])] |= {type(intent) for intent in outcome.intents}
    return found


@pytest.mark.parametrize("service", ALL, ids=str)
def test_declared_is_caused(service: Service) -> None:
    """Nothing comes about that is not declared, and nothing is declared that never comes about."""
    assert caused(service) == {row.event: row.causes | row.intends for row in service.table}


@pytest.mark.parametrize("service", ALL, ids=str)
def test_withdrawn_is_intended(service: Service) -> None:
    """Only what the same service intends somewhere is ever withdrawn."""
    intended = {intent for row in service.table for intent in row.intends}
    withdrawn = {kind for _, _, o in service.outcomes() if isinstance(o, Advanced) for kind in o.withdrawn}
    assert withdrawn <= intended


@pytest.mark.parametrize("service", ALL, ids=str)
def test_intents_have_kinds_of_their_own(service: Service) -> None:
    """At most one intent of a kind waits for each stream, so no two classes may share one."""
    kinds = Counter(intent.kind for intent in {intent for row in service.table for intent in row.intends})
    assert set(kinds.values()) <= {1}


@pytest.mark.parametrize("service", ALL, ids=str)
def test_causes_its_own_events_only(service: Service) -> None:
    """A service causes events that it owns, never another's."""
    assert {event.kind.owner for row in service.table for event in row.causes} == {str(service)}


@pytest.mark.parametrize("service", ALL, ids=str)
def test_private_events_stay_at_home(service: Service) -> None:
    """A private event is reacted to by its owner alone."""
    assert {row.event.kind.owner for row in service.table if not row.event.kind.public} <= {str(service)}


def test_each_event_has_one_publisher() -> None:
    """No two tables cause the same event."""
    by_event = Counter(event for table in TABLES for row in table for event in row.causes)
    causers = {event: {t.service for t in TABLES for row in t if event in row.causes} for event in by_event}
    assert all(len(services) == 1 for services in causers.values())


def test_consumed_is_published() -> None:
    """Every public event that somebody waits for is published by its owner."""
    assert {event for _, event in CONSUMED} <= {event for _, event in PUBLISHED}


def test_published_is_consumed() -> None:
    """Every public event is told to somebody."""
    assert {event for _, event in PUBLISHED} == {event for _, event in CONSUMED}


def test_the_vocabulary_is_danced() -> None:
    """Every event class of the four services is caused or reacted to by one of them: none is a leftover."""
    danced = {event for table in TABLES for row in table for event in (row.event, *row.causes)}
    services = {table.service for table in TABLES}
    assert danced == {event for event in VOCABULARY.values() if event.kind.owner in services}


def test_lanes_come_from_the_owner() -> None:
    """A lane is fed by the exchange of its event's owner, which publishes that event, and never by its own service."""
    lanes = [lane for table in TABLES for lane in lanes_of(table)]
    publisher = {event: service for service, event in PUBLISHED}
    for lane in lanes:
        assert lane.exchange == f"{publisher[lane.event]}.events"
        assert lane.event.kind.owner != lane.service
    assert {(lane.service, lane.event) for lane in lanes} == CONSUMED


def test_the_dance() -> None:
    """The lanes are those of the design."""
    assert sorted(lane.queue for table in TABLES for lane in lanes_of(table)) == [
        "inventory.order.cancelled",
        "inventory.order.confirmed",
        "inventory.order.placed",
        "notification.order.cancelled",
        "notification.order.confirmed",
        "order.payment.captured",
        "order.payment.declined",
        "order.payment.refunded",
        "order.payment.voided",
        "order.stock.committed",
        "order.stock.rejected",
        "order.stock.released",
        "payment.order.cancelled",
        "payment.order.placed",
        "payment.stock.reserved",
    ]
