"""A service's schema as a value: a transaction makes the next one, and the one before stays as it was."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from shared.letters import Letter
from shared.ports import Answer, Claim, LogEntry, Posted


class InboxRow(NamedTuple):
    """What became of an event of an order."""

    type: str
    order_id: UUID | None
    outcome: str = "advanced"


class IntentRow(NamedTuple):
    """Something to do; `claim` holds its token and attempts. `leased` until the world lets the lease end."""

    claim: Claim
    position: int
    leased: bool = False
    parked: bool = False


class OutboxRow(NamedTuple):
    """What the broker has not confirmed; a refill puts it there anew, under the next generation."""

    entry: LogEntry
    generation: int = 0


@dataclass(eq=False)
class Tables:
    """What is committed. Nobody changes anything in place; it is not frozen because that makes making one slower."""

    states: Mapping[Any, tuple[Any, int]] = field(default_factory=dict)
    """By key, a state and its version. Inventory keeps its shelves here too, by SKU."""
    inbox: Mapping[UUID, InboxRow] = field(default_factory=dict)
    logs: Mapping[UUID, tuple[LogEntry, ...]] = field(default_factory=dict)
    """By stream."""
    outbox: Mapping[UUID, OutboxRow] = field(default_factory=dict)
    intents: Mapping[tuple[UUID, str], IntentRow] = field(default_factory=dict)
    """By stream and kind."""
    position: int = 0
    """Of the last intent."""
    suspects: Mapping[UUID, tuple[UUID, int]] = field(default_factory=dict)
    """The life that began it last, and how many lives began it alone."""
    letters: Mapping[UUID, Letter] = field(default_factory=dict)
    answers: Mapping[tuple[str, str, str], tuple[str, Answer]] = field(default_factory=dict)

    @cached_property
    def key(self) -> int:
        """A hash of all that decides what can happen next. The log stands for the states that it leads to."""
        return hash(
            (
                frozenset((sku, state.level) for sku, (state, _) in self.states.items() if isinstance(sku, str)),
                frozenset(self.inbox.items()),
                frozenset((stream, tuple(map(_told, log))) for stream, log in self.logs.items()),
                frozenset((*_told(row.entry), row.generation) for row in self.outbox.values()),
                frozenset(
                    (stream, kind, row.claim.attempts, row.claim.token, row.claim.raised, row.leased, row.parked)
                    for (stream, kind), row in self.intents.items()
                ),
                frozenset(self.suspects.items()),
                frozenset(self.letters),
                frozenset(self.answers),
            )
        )

    @cached_property
    def posted(self) -> frozenset[Posted]:
        """What lies in the outbox, under the generations that it has now."""
        return frozenset(Posted(event_id, row.generation) for event_id, row in self.outbox.items())

    def intent(self, claim: Claim) -> tuple[tuple[UUID, str], IntentRow] | None:
        """Find the row that a claim was of, while its token is the row's."""
        for place, row in self.intents.items():
            if row.claim.intent_id == claim.intent_id and row.claim.token == claim.token:
                return place, row
        return None

    def apart(self, orders: Collection[UUID]) -> "tuple[Tables, Tables | None]":
        """Part the rows of some orders, and those of no order, from the rows of all others, if there are any.

        The outbox and the suspects are not parted: whatever commits may take any order's rows out of them.
        """
        others: set[Any] = self.logs.keys() - set(orders)
        if not others:
            return self, None
        others |= set(map(str, others)) if self.answers else set()
        near, far = dict[str, Any](), dict[str, Any]()
        for name, owner in OWNERS.items():
            rows = getattr(self, name)
            far[name] = {key: row for key, row in rows.items() if owner(key, row) in others}
            near[name] = without(rows, far[name]) if far[name] else rows
        return replace(self, **near), Tables(**far, position=self.position)

    def beside(self, far: "Tables") -> "Tables":
        """Put the rows of other orders back."""
        rows = {name: {**getattr(far, name), **getattr(self, name)} for name in OWNERS}
        return replace(self, **rows, position=max(self.position, far.position))

    def alone(self, order_id: UUID) -> "Tables":
        """Give the rows of one order, and no others."""
        outbox = {key: row for key, row in self.outbox.items() if row.entry.logged.correlation_id == order_id}
        rows: dict[str, Any] = {
            name: {key: row for key, row in getattr(self, name).items() if owner(key, row) == order_id}
            for name, owner in OWNERS.items()
        }
        return Tables(**rows, outbox=outbox)

    def with_intent(self, place: tuple[UUID, str], row: IntentRow) -> "Tables":
        """Put a row of an intent."""
        return replace(self, intents={**self.intents, place: row})


OWNERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "states": lambda key, _: key,
    "inbox": lambda _, row: row.order_id,
    "logs": lambda key, _: key,
    "intents": lambda key, _: key[0],
    "letters": lambda _, letter: letter.correlation_id,
    "answers": lambda key, _: key[0],
}
"""Whose a row is, by its key and itself: an order's, or nobody's. Every order has a customer of its own."""


def _told(entry: LogEntry) -> tuple[UUID, bytes]:
    """Name an event, and say what it tells: the id says what caused it, and not in which state."""
    return entry.logged.event_id, entry.logged.payload


def without(mapping: Mapping[Any, Any], gone: Any) -> dict[Any, Any]:
    """Copy a mapping, but for some keys."""
    return {key: value for key, value in mapping.items() if key not in gone}
