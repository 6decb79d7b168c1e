"""What an audit knows: of one order, of the stock of one SKU, of one letter or line of a log. Plain values, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from infra.audit.histories import HISTORIES
from services.inventory.state import Level, Reservation
from services.order.state import Order
from services.payment.state import Payment
from shared.event import Event
from shared.outcome import ImpossibleError


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long is long, in seconds."""

    settled_for_s: float = 5.0
    """So long nothing must have happened to an order before the books of all services are held against each other."""
    overdue_s: float = 300.0
    """Longer nothing waits: no order for its end, no intent for its answer, no event for its publication."""
    inbox_sure_s: float = 86_400.0
    """So long an inbox remembers at least; the services refuse a shorter retention."""


class Entry(NamedTuple):
    """One event of a log. `event` is None where nobody knows the type, or the payload is none of it."""

    event_id: UUID
    version: int
    type: str
    text: str
    event: Event | None
    causation_id: UUID
    occurred_at: datetime
    correlation_id: UUID


class Posted(NamedTuple):
    """A row of an outbox, of whatever order; `is_logged` tells whether there is an event to publish for it."""

    event_id: UUID
    is_logged: bool


class Reacted(NamedTuple):
    """One row of an inbox."""

    event_id: UUID
    type: str
    outcome: str


class Waiting(NamedTuple):
    """An intent, or an event that the broker has not confirmed. `since` is when it should have gone at the latest."""

    what: str
    since: datetime
    parked: bool
    text: str = ""

    @property
    def kind(self) -> str:
        """The intent's kind, or the event's type: the first word of `what`."""
        return self.what.partition(" ")[0]


class Letter(NamedTuple):
    """A dead letter; `event_id` is None where it cannot be read."""

    letter_id: UUID
    lane: str
    event_id: UUID | None
    type: str | None
    text: str


class Line(NamedTuple):
    """A line of the provider's ledger, in minor units; a void has no currency."""

    kind: str
    id: str
    amount: int
    currency: str | None


class LogPage(NamedTuple):
    """Some lines that a program wrote, one after the other; `line` is the number of the first.

    After one that `is_cut` there is more of the log than is read.
    """

    file: str
    line: int
    text: str
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class Unfoldable:
    """A log that leads to no state, and the step that does not."""

    why: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A stored state that is none, and why: whoever wrote it was no service."""

    why: str


@dataclass(frozen=True)
class Part:
    """What one service's schema holds of one order, all seen at one instant: `now`, by the database's clock."""

    service: str
    order_id: UUID
    now: datetime
    state: Any = None
    version: int = 0
    """Of the state's row; 0 where there is none."""
    log: tuple[Entry, ...] = ()
    inbox: Mapping[UUID, Reacted] = field(default_factory=dict)
    """Of every event of this order that some log or letter names, what the inbox says."""
    outbox: Mapping[UUID, Waiting] = field(default_factory=dict)
    intents: tuple[Waiting, ...] = ()
    letters: tuple[Letter, ...] = ()
    bounds: Bounds = Bounds()

    @property
    def stored(self) -> Any:
        """What a log can tell of the stored state; None where there is none."""
        is_told = self.state is not None and not isinstance(self.state, Unreadable)
        return HISTORIES[self.service].as_logged(self.state) if is_told else self.state

    @cached_property
    def told(self) -> Any:
        """The state that the log tells; `Unfoldable` where it tells none."""
        events = [entry.event for entry in self.log if entry.event is not None]
        if len(events) < len(self.log):
            return Unfoldable(f"what nobody can read: {[entry.type for entry in self.log if entry.event is None]}")
        if astray := [event.kind.type for event in events if getattr(event, "order_id", None) != self.order_id]:
            return Unfoldable(f"what another order has come to: {astray}")
        try:
            return HISTORIES[self.service].fold(events)
        except ImpossibleError as error:
            return Unfoldable(str(error))

    @property
    def remembered(self) -> tuple[Entry, ...]:
        """What is young enough for the inbox to know its cause."""
        horizon = self.now - timedelta(seconds=self.bounds.inbox_sure_s)
        return tuple(entry for entry in self.log if entry.occurred_at > horizon)


@dataclass(frozen=True, slots=True)
class Saga:
    """One order as all four services and the provider know it."""

    order_id: UUID
    parts: Mapping[str, Part]
    ledger: tuple[Line, ...] = ()
    lanes: Mapping[str, int] = field(default_factory=dict)
    """How many messages lie in the broker's queues; those without any may be left out."""
    bounds: Bounds = Bounds()

    @property
    def order(self) -> Order | None:
        """The order's own state, if it can be read."""
        state: Order | None = self._state("order")
        return state

    @property
    def reservation(self) -> Reservation | None:
        """Inventory's state, if it can be read."""
        state: Reservation | None = self._state("inventory")
        return state

    @property
    def payment(self) -> Payment | None:
        """Payment's state, if it can be read."""
        state: Payment | None = self._state("payment")
        return state

    def _state(self, service: str) -> Any:
        state = self.parts[service].state
        return None if isinstance(state, Unreadable) else state

    @property
    def began(self) -> datetime:
        """When the first of the schemas was seen."""
        return min(part.now for part in self.parts.values())

    @property
    def last(self) -> datetime | None:
        """When something was logged last, anywhere; None where nothing was."""
        return max((entry.occurred_at for part in self.parts.values() for entry in part.log), default=None)

    @property
    def is_at_rest(self) -> bool:
        """It is settled, or nobody's, and nothing happened to it for longer than the bound."""
        rest = timedelta(seconds=self.bounds.settled_for_s)
        return (self.order is None or self.order.settled) and (self.last is None or self.last < self.began - rest)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The stock of one SKU, and what the rest of inventory's schema adds up to for it, at one instant."""

    sku: str
    level: Level
    receipts: int
    logged_receipts: int
    logged_quantity: int
    held: int = 0
    """The sum over reservations that are held."""
    committed: int = 0
    """The sum over reservations that are sold."""
