"""What the tables say of taking and undoing, held against what every reaction really does in every state."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.choreography.reading import choreography
from services.inventory.state import Level
from shared.event import Event
from shared.outcome import Advanced
from shared.vocabulary.order import OrderCancelled
from tests.unit.services.representatives import ALL, INVENTORY, Service

UNDOING = [
    service
    for service in ALL
    if any(event.kind.closes is OrderCancelled for row in service.table for event in row.causes)
]


def advances(service: Service) -> Iterator[tuple[type[Event], str, Advanced[Any]]]:
    """Give every outcome that changes something, with its event and the name of the state before."""
    for name, state, outcome in service.outcomes():
        if isinstance(outcome, Advanced):
            yield type(service.events[name]), state, outcome


def test_who_takes_stock_says_so() -> None:
    """A reaction that leaves fewer goods for sale, or sells some, is marked; and one that is marked does."""
    takers = set()
    for event, state, outcome in advances(INVENTORY):
        before = INVENTORY.states[state].stock
        if any(_is_taken(before.get(sku, Level()), level) for sku, level in outcome.state.stock.items()):
            takers.add(event)
    assert takers == {row.event for row in INVENTORY.table if row.takes == "stock"}


def _is_taken(before: Level, after: Level) -> bool:
    return after.available < before.available or after.sold > before.sold


def test_who_undoes_is_known() -> None:
    """Inventory and payment close a cancellation."""
    assert [str(service) for service in UNDOING] == ["inventory", "payment"]


@pytest.mark.parametrize("service", UNDOING, ids=str)
def test_a_cancellation_is_closed_once(service: Service) -> None:
    """Each way to react to it, or to the answer of an undo, gives one closing event or intends one undo: never both."""
    intents = {intent for row in service.table for intent in row.intends if intent.undoes}
    way_back = {OrderCancelled, *(answer for intent in intents for answer in intent.answered_by)}
    seen = set()
    for event, state, outcome in advances(service):
        closing = [each for each in outcome.events if each.kind.closes is OrderCancelled]
        undoing = [each for each in outcome.intents if type(each) in intents]
        assert len(closing) + len(undoing) == (event in way_back), (event, state)
        seen.add(event)
    assert way_back <= seen


def test_the_way_back_is_what_the_graph_says() -> None:
    """The closing events that are caused are those that the graph knows."""
    dance = choreography()
    caused = {each.kind.name for service in ALL for _, _, outcome in advances(service) for each in outcome.events
              if each.kind.closes}  # fmt: skip
    assert caused == {name for name, event in dance.events.items() if event.closes in dance.triggers}
