"""One batch's way through the reactions, in memory: pure but for the book that it reads and writes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from shared.envelope import Envelope, Logged
from shared.ids import derived_id
from shared.outcome import Advanced, Ignored
from shared.ports import Answer, Book, LogEntry, Received, Record, Request
from shared.reactions import Reactions


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Reacted to before."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The event failed: its reaction raised, or the database refused what it wanted stored."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Deadly:
    """Nobody reacts to it any more: so many lives of processes ended while they reacted to it, and to nothing else."""

    runs: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A command's answer, now or from the first time it was asked."""

    answer: Answer
    outcome: Advanced[Any] | Ignored | None = None


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The idempotency key was used before, for another body."""


@dataclass(frozen=True, slots=True)
class HeldUp:
    """A batch that runs again and again until the world lets it through, since when, and what the world said last."""

    since: datetime
    events: int
    error: str


Result: TypeAlias = Advanced[Any] | Ignored | Duplicate | Raised | Deadly | Answered | KeyReused
Follow: TypeAlias = Callable[[Envelope], str | None]
"""Gives the trace context of what follows from a cause."""


def pass_on(cause: Envelope) -> str | None:
    """Follow a cause without a trace of one's own."""
    return cause.traceparent


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """An event to react to; a command's with its request and the way to answer, an answer's with its intent."""

    envelope: Envelope
    request: Request | None = None
    answer: Callable[[Advanced[Any] | Ignored, Any], Answer] | None = None
    """From the outcome and the state after it."""
    completes: UUID | None = None
    redelivered: bool = False
    """Somebody had it before and did not ack it: it may be what ended them."""
    last_failed_at: str | None = None
    """When the attempt before this one failed, as its message says."""
    attempts: int = 1
    """Those at it, this one included; of an intent's answer, those at the intent."""


class Batch:
    """Applies items one after the other, each seeing what the one before left."""

    def __init__(self, reactions: Reactions, book: Book, received: Received, follow: Follow = pass_on) -> None:
        self._reactions = reactions
        self._book = book
        self._now = received.now
        self._follow = follow
        self._unseen = set(received.fresh)
        self._raised: dict[UUID, Raised] = {}
        self.record = Record()

    def apply(self, item: Item) -> Result:
        """React to one event, and note in `record` what follows from it; a failure leaves no trace but its id."""
        event_id = item.envelope.event_id
        if item.redelivered:
            self.record.survived.append(event_id)
        if event_id in self._raised:  # a second copy in the same batch failed with the first
            return self._raised[event_id]
        if event_id not in self._unseen:
            self._complete(item)
            return Duplicate()
        self._unseen.discard(event_id)
        try:
            state = self._book.read(item.envelope.event)
            outcome = self._reactions.react(item.envelope.event, state)
            entries = self._entries(item.envelope, outcome) if isinstance(outcome, Advanced) else []
            after = outcome.state if isinstance(outcome, Advanced) else state
            answer = item.answer(outcome, after) if item.answer else None
        except Exception as error:  # noqa: BLE001 - whatever a reaction raises is that event's failure
            self.record.raised.append(event_id)
            return self._raised.setdefault(event_id, Raised(error))
        self._note(item, outcome, entries)
        self._complete(item)
        if answer is None:
            return outcome
        if item.request is not None:
            self.record.answers.append((item.request, event_id, answer))
        return Answered(answer, outcome)

    def _entries(self, cause: Envelope, outcome: Advanced[Any]) -> list[LogEntry]:
        stream_id, version = self._book.position(cause.event)
        traceparent = self._follow(cause)
        return [
            LogEntry(
                stream_id,
                version + ordinal,
                Logged(
                    event_id=derived_id(cause.event_id, event.kind.type, str(ordinal)),
                    type=event.kind.type,
                    owner=event.kind.owner,
                    payload=event.__pydantic_serializer__.to_json(event),
                    correlation_id=cause.correlation_id,
                    causation_id=cause.event_id,
                    traceparent=traceparent,
                    occurred_at=self._now,
                ),
                event.kind.public,
            )
            for ordinal, event in enumerate(outcome.events, start=1)
        ]

    def _note(self, item: Item, outcome: Advanced[Any] | Ignored, entries: list[LogEntry]) -> None:
        record = self.record
        if isinstance(outcome, Ignored):
            record.ignored[item.envelope.event_id] = outcome.reason
            return
        self._book.write(item.envelope.event, outcome.state, len(entries))
        if item.attempts > 1:
            record.attempts[item.envelope.event_id] = item.attempts
        record.entries += entries
        stream_id = entries[0].stream_id
        for kind in outcome.withdrawn:
            record.intents.pop((stream_id, kind.kind), None)
            record.withdrawn.add((stream_id, kind.kind))
        for intent in outcome.intents:
            record.intents.pop((stream_id, intent.kind), None)  # the order of a dict is that of the first insertion
            record.intents[stream_id, intent.kind] = (intent, entries[-1].logged)

    def _complete(self, item: Item) -> None:
        if item.completes is not None:
            self.record.completed.append(item.completes)
