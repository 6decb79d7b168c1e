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
        """A hash of all that decides what can happen next, and of all that may be wrong in it."""
        return hash(
            (
                frozenset(
                    (key, getattr(state, "level", state), version) for key, (state, version) in self.states.items()
                ),
                frozenset(self.inbox.items()),
                frozenset(self.logs.items()),
                frozenset(self.outbox.values()),
                frozenset(row._replace(position=self._turn(row)) for row in self.intents.values()),
                frozenset(self.suspects.items()),
                frozenset(self.letters.values()),
                frozenset(self.answers.items()),
            )
        )

    def _turn(self, row: IntentRow) -> int:
        """Count the intents of its stream that come before it: their order tells, and not how many there ever were."""
        stream = row.claim.correlation_id
        return sum(
            other.claim.correlation_id == stream and other.position < row.position for other in self.intents.values()
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
        return replace(self, **near), replace(Tables(position=self.position), **far)

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
        return replace(Tables(outbox=outbox), **rows)

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


def without(mapping: Mapping[Any, Any], gone: Any) -> dict[Any, Any]:
    """Copy a mapping, but for some keys."""
    return {key: value for key, value in mapping.items() if key not in gone}
