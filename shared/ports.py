"""The narrow doors between the decisions of the kit and the world: a database, a broker, a clock.

The shell, the relay and the intent workers know nothing else of the world, so a simulator can run that very
code behind other doors. The real ones are in `shared.store` and `shared.broker`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from shared.envelope import Envelope, Logged
from shared.event import Event
from shared.outcome import Intent


class WorldError(Exception):
    """The world's fault: a lost connection, a deadlock, a timeout. Run the same again later."""


class ConflictError(WorldError):
    """Somebody else wrote first: a version or a unique key was taken. Run the same again at once."""


class TooSlowError(WorldError):
    """A statement was cancelled for its time. Run the same again later; a part of it may be quick enough."""


class RefusedError(Exception):
    """The event's fault: a constraint refuses what its reaction wants stored, or it cannot be encoded.

    `kind` is what the database calls it.
    """

    def __init__(self, text: str, kind: str = "RefusedError") -> None:
        super().__init__(text)
        self.kind = kind


class NotConfirmedError(WorldError):
    """The broker has not confirmed a message: unroutable, refused, or out of reach."""


@dataclass(frozen=True, slots=True)
class Request:
    """Who asked what over HTTP, under which idempotency key."""

    caller: str
    route: str
    key: str
    body_hash: str
    action: str | None = None
    """What it is recorded as, where an operator asks; None for a customer."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What is unique about it."""
        return self.caller, self.route, self.key


@dataclass(frozen=True, slots=True)
class Answer:
    """What an HTTP command is answered with: a status code and a JSON body."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Claim:
    """An intent that this process may carry out until its lease ends.

    `attempts` counts this one; `raised` counts earlier answers whose reaction raised. `token` fences the row: who lost
    the lease cannot reschedule it any more. `age_s` is the time from the event that it follows from to this claim, by
    the database's clock.
    """

    intent_id: UUID
    intent: Intent
    correlation_id: UUID
    causation_id: UUID
    traceparent: str | None
    attempts: int
    token: int
    raised: int = 0
    age_s: float = 0.0


class LogEntry(NamedTuple):
    """A logged event with its place: the next version of its stream."""

    stream_id: UUID
    version: int
    logged: Logged
    public: bool


class Posted(NamedTuple):
    """A row of the outbox as it was published: a confirm deletes it under this generation alone.

    A commit writes rows of the first generation. A refill puts the row of an event there again, under another: what
    was published before went to a queue that is gone, and its confirm, however late, must not take the row along.
    What is deferred, claimed again or released from parking keeps its generation: it wants one publish, whichever.
    """

    event_id: UUID
    generation: int = 0


@dataclass(slots=True)
class Record:
    """All that one transaction writes beside the states."""

    entries: list[LogEntry] = field(default_factory=list)
    attempts: dict[UUID | None, int] = field(default_factory=dict)
    """Of causes of entries that did not succeed at the first attempt: at which they did."""
    intents: dict[tuple[UUID, str], tuple[Intent, Logged]] = field(default_factory=dict)
    """By stream and kind: an intent and the event that it follows from."""
    withdrawn: set[tuple[UUID, str]] = field(default_factory=set)
    completed: list[UUID] = field(default_factory=list)
    ignored: dict[UUID, str] = field(default_factory=dict)
    raised: list[UUID] = field(default_factory=list)
    """Events whose inbox row goes again, because their reaction raised."""
    survived: list[UUID] = field(default_factory=list)
    """Events of redelivered messages: whatever came of them, this process is still there."""
    answers: list[tuple[Request, UUID, Answer]] = field(default_factory=list)
    confirmed: Collection[Posted] = ()
    """Outbox rows to delete, because the broker has confirmed them."""


@dataclass(frozen=True, slots=True)
class Received:
    """What the inbox says: which ids are new, and the transaction's time by the database's clock."""

    fresh: frozenset[UUID]
    now: datetime


class Book(Protocol):
    """The states that a batch touches, in memory; writes are seen by the reads that follow."""

    def read(self, event: Event) -> Any:
        """Give the state that `event` is about."""

    def position(self, event: Event) -> tuple[UUID, int]:
        """Give the stream that `event` is about, and the version of its last logged event."""

    def write(self, event: Event, state: Any, logged: int) -> None:
        """Put the next state back, after `logged` events."""


class Transaction(Protocol):
    """One database transaction. Every method is a constant number of set-based statements, rows sorted by key.

    All of them raise `WorldError`, `ConflictError` or `RefusedError`, and nothing else.
    """

    async def answered(self, requests: Sequence[Request]) -> Mapping[tuple[str, str, str], tuple[str, Answer]]:
        """Find the body hash and the answer of those requests that were answered before."""

    async def receive(self, envelopes: Sequence[Envelope]) -> Received:
        """Put ids into the inbox, and say which were new."""

    async def load(self, events: Sequence[Event]) -> Book:
        """Load and lock all states that `events` are about."""

    async def write(self, book: Book, record: Record) -> Sequence[Claim]:
        """Save what changed; give those new intents that are due now, leased to this process."""


class Store(Protocol):
    """A service's own schema."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Begin; commit at the end of the block, roll back if it raises. Raises as `Transaction` does."""

    async def watch(self, event_ids: Collection[UUID], life: UUID) -> Collection[UUID]:
        """Note events of a redelivered message as begun in this life of a process; give those noted in another."""

    async def suspect(self, event_id: UUID, life: UUID) -> int:
        """Count this life among those that ran a watched event alone; say how many there are, this one included."""

    async def acquit(self, event_ids: Collection[UUID]) -> None:
        """Forget events that were watched: they have ended nobody."""

    async def delete_confirmed(self, confirmed: Collection[Posted]) -> None:
        """Delete outbox rows that the broker has confirmed, unless a refill has put them there again since."""

    async def claim_unsent(self, limit: int, grace_s: float) -> Sequence[tuple[Logged, Posted]]:
        """Take outbox rows that nobody has sent for their grace; they are ours for `grace_s` seconds."""

    async def defer_unsent(self, event_ids: Collection[UUID]) -> None:
        """Make rows that could not be sent available again, each after its own backoff."""

    async def park_unsent(self, errors: Mapping[UUID, str]) -> None:
        """Set rows that cannot be encoded aside for a person, each with what is wrong with it."""

    async def claim_intents(self, limit: int, lease_s: float) -> Sequence[Claim]:
        """Take intents that are due, the first of each stream only; they are ours for `lease_s` seconds."""

    async def release_intents(self, claims: Collection[Claim]) -> None:
        """Give back intents that were claimed and never started, due at once; that attempt does not count."""

    async def reschedule(
        self, claim: Claim, after_s: float, error: str, *, raised: bool = False, asked: bool = True
    ) -> None:
        """Give an intent back, due again in `after_s` seconds, unless the lease was lost.

        `raised` counts it as answered, by an answer whose reaction raised. An attempt that has not `asked` anybody
        does not count.
        """

    async def park(self, claim: Claim, error: str) -> None:
        """Set an intent aside for a person, unless the lease was lost."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message to publish: always persistent, always mandatory, with an id."""

    exchange: str
    routing_key: str
    body: bytes
    message_id: str
    headers: Mapping[str, str | int] = field(default_factory=dict)
    expiration_ms: int | None = None


class Publisher(Protocol):
    """The way to the broker."""

    async def publish(self, messages: Iterable[Message]) -> Sequence[NotConfirmedError | None]:
        """Publish all at once; for each, in order, None once the broker has confirmed it, or why it has not."""


class Clock(Protocol):
    """Time for waiting. No decision about leases or deadlines rests on it: the database judges those."""

    def monotonic_s(self) -> float:
        """Seconds since some fixed moment."""

    def now(self) -> datetime:
        """The time of day in UTC, for people to read."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
