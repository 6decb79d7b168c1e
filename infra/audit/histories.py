"""The four histories: how each service's state is folded from its log."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from services.inventory import history as inventory
from services.notification import history as notification
from services.order import history as order
from services.payment import history as payment
from shared.event import Event


@dataclass(frozen=True, slots=True)
class History:
    """A service's fold, and its state without what a log does not tell."""

    evolve: Callable[[Any, Event], Any]
    as_logged: Callable[[Any], Any]

    def fold(self, log: Iterable[Event]) -> Any:
        """Give the state that a log tells; None where it is empty.

        Raises:
            ImpossibleError: a step that no reaction takes.
        """
        state = None
        for event in log:
            state = self.evolve(state, event)
        return state


HISTORIES = {
    "order": History(order.evolve, order.as_logged),
    "inventory": History(inventory.evolve, inventory.as_logged),
    "payment": History(payment.evolve, payment.as_logged),
    "notification": History(notification.evolve, notification.as_logged),
}
