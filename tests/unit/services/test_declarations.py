"""What a reaction returns is what its table declares. What all tables say together is held by the graph's checks."""

import pytest

from shared.event import Event
from shared.outcome import Advanced, Intent
from shared.topology import lanes_of
from tests.unit.services.representatives import ALL, TABLES, Service


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
def test_declared_is_withdrawn(service: Service) -> None:
    """So it is with the intents that a reaction withdraws."""
    found: dict[type[Event], set[type[Intent]]] = {row.event: set() for row in service.table}
    for name, _, outcome in service.outcomes():
        if isinstance(outcome, Advanced):
            found[type(service.events[name])] |= set(outcome.withdrawn)
    assert found == {row.event: set(row.withdraws) for row in service.table}


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
