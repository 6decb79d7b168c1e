"""The four histories: how each service's state is folded from its log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.audit.facts import Part
from services.inventory import history as inventory
from services.notification import history as notification
from services.order import history as order
from services.payment import history as payment
from shared.event import Event
from shared.outcome import ImpossibleError


@dataclass(frozen=True, slots=True)
class History:
    """A service's fold, and its state without what a log does not tell."""

    evolve: Callable[[Any, Event], Any]
    as_logged: Callable[[Any], Any]


HISTORIES = {
    "order": History(order.evolve, order.as_logged),
    "inventory": History(inventory.evolve, inventory.as_logged),
    "payment": History(payment.evolve, payment.as_logged),
    "notification": History(notification.evolve, notification.as_logged),
}


def folded(part: Part) -> Any:
    """Fold a log; None where it is empty.

    Raises:
        ImpossibleError: a step that no reaction takes, or an event that nobody can read.
    """
    evolve, state = HISTORIES[part.service].evolve, None
    for entry in part.log:
        if entry.event is None:
            raise ImpossibleError(f"nobody can read a {entry.type}")
        state = evolve(state, entry.event)
    return state


def stored(part: Part) -> Any:
    """Give what a log can tell of the stored state; None where there is none."""
    return None if part.state is None else HISTORIES[part.service].as_logged(part.state)
