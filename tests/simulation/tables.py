"""A service's schema as a value: a transaction makes the next one, and the one before stays as it was."""

from collections.abc import Mapping
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


@dataclass(frozen=True)
class Tables:
    """What is committed. Nobody changes a mapping in place."""

    states: Mapping[Any, tuple[Any, int]] = field(default_factory=dict)
    """By key, a state and its version. Inventory keeps its shelves here too, by SKU."""
    inbox: Mapping[UUID, InboxRow] = field(default_factory=dict)
    logs: Mapping[UUID, tuple[LogEntry, ...]] = field(default_factory=dict)
    """By stream."""
    written: tuple[LogEntry, ...] = ()
    """All that is logged, in the order of its positions: the order in which a sweep publishes it."""
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
                frozenset((s, tuple(e.logged.event_id for e in log)) for s, log in self.logs.items()),
                self.posted,
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

    def with_intent(self, place: tuple[UUID, str], row: IntentRow) -> "Tables":
        """Put a row of an intent."""
        return replace(self, intents={**self.intents, place: row})


def without(mapping: Mapping[Any, Any], gone: Any) -> dict[Any, Any]:
    """Copy a mapping, but for some keys."""
    return {key: value for key, value in mapping.items() if key not in gone}
