"""The fold of a log is the state that was stored with it, after every reaction and after any history."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.inventory import history as inventory
from services.inventory.events import ReceiptRequested
from services.inventory.state import Holding
from services.notification import history as notification
from services.order import history as order
from services.payment import history as payment
from shared.envelope import Envelope
from shared.event import VOCABULARY, Event
from shared.outcome import Advanced, ImpossibleError
from shared.ports import Book, LogEntry
from tests.unit.services import builders as b
from tests.unit.services.representatives import ALL, INVENTORY, NOTIFICATION, ORDER, PAYMENT, Service
from tests.unit.services.stage import Stage, histories, order_book, stock_book
from tests.unit.services.test_notification_invariants import LIVES as NOTIFICATION_LIVES
from tests.unit.services.test_order_invariants import LIVES as ORDER_LIVES
from tests.unit.services.test_payment_invariants import LIVES as PAYMENT_LIVES
from tests.unit.shared.generated import MANY

GOODS = [ReceiptRequested(receipt_id=b.RECEIPT, sku=line.sku, quantity=line.quantity) for line in b.LINES]
INVENTORY_LIVES = (
    [*GOODS, b.PLACED, b.CONFIRMED, b.cancelled()],
    [*GOODS, b.PLACED, b.cancelled(), b.CONFIRMED],
    [b.PLACED, b.cancelled()],
)


@dataclass(frozen=True, slots=True)
class Told:
    """A service with its history, the book that it is played over, and the lives that histories are drawn from."""

    service: Service
    evolve: Callable[[Any, Event], Any]
    as_logged: Callable[[Any], Any]
    book: Callable[[], Book]
    lives: Sequence[Sequence[Event]]

    def __str__(self) -> str:
        return str(self.service)

    def logged(self, state: Any) -> Any:
        """Give what the log tells of a state; nothing of nothing."""
        own = state.reservation if isinstance(state, Holding) else state
        return None if own is None else self.as_logged(own)

    def fold(self, events: Iterable[Event], state: Any = None) -> Any:
        """Fold events."""
        return reduce(self.evolve, events, state)

    def histories(self) -> st.SearchStrategy[list[Envelope]]:
        """Draw histories of one order; the receipt of goods has a stream of its own."""
        others = [event for event in self.service.events.values() if not isinstance(event, ReceiptRequested)]
        return histories(self.lives, others)


TOLD = (
    Told(ORDER, order.evolve, order.as_logged, order_book, ORDER_LIVES),
    Told(INVENTORY, inventory.evolve, inventory.as_logged, stock_book, INVENTORY_LIVES),
    Told(PAYMENT, payment.evolve, payment.as_logged, order_book, PAYMENT_LIVES),
    Told(NOTIFICATION, notification.evolve, notification.as_logged, order_book, NOTIFICATION_LIVES),
)


def test_every_service_has_a_history() -> None:
    """None is forgotten here."""
    assert [told.service for told in TOLD] == list(ALL)


def read(entry: LogEntry) -> Event:
    """Read an event back from the log."""
    return VOCABULARY[entry.logged.type].model_validate_json(entry.logged.payload)


@pytest.mark.parametrize("told", TOLD, ids=str)
def test_a_step(told: Told) -> None:
    """Whatever a reaction logs in whatever state, it leads to the state that the reaction gave."""
    steps = 0
    for event_name, event in told.service.events.items():
        for state_name, state in told.service.states.items():
            try:
                outcome = told.service.table.react(event, state)
            except ImpossibleError:
                continue
            if isinstance(outcome, Advanced) and not isinstance(event, ReceiptRequested):
                steps += 1
                after = told.fold(outcome.events, told.logged(state))
                assert after == told.logged(outcome.state), (event_name, state_name)
    assert steps > 4


@pytest.mark.parametrize("told", TOLD, ids=str)
@MANY
@given(data=st.data())
def test_a_history(told: Told, data: st.DataObject) -> None:
    """However late, early or often events come, the fold of what was logged is the state that is left."""
    stage = Stage(told.service.table, told.book())
    for each in data.draw(told.histories()):
        stage.play(each)
    entries = [entry for entry in stage.log if entry.stream_id == b.ORDER]
    assert told.fold(map(read, entries)) == told.logged(stage.state(b.cancelled()))


@pytest.mark.parametrize("told", TOLD, ids=str)
def test_a_step_that_no_reaction_takes_is_refused(told: Told) -> None:
    """What was logged once cannot be logged again: the second time is no step of any history."""
    refused = 0
    for event in told.service.events.values():
        for state in told.service.states.values():
            try:
                outcome = told.service.table.react(event, state)
            except ImpossibleError:
                continue
            if isinstance(outcome, Advanced) and not isinstance(event, ReceiptRequested):
                refused += 1
                with pytest.raises(ImpossibleError):
                    told.fold([*outcome.events, *outcome.events], told.logged(state))
    assert refused > 4
