"""The world in memory: fakes of the ports in `shared.ports`, which can be told to fail."""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

from shared.envelope import Envelope, Logged
from shared.event import Event
from shared.ids import derived_id
from shared.outcome import Intent
from shared.ports import (
    Answer,
    Claim,
    ConflictError,
    LogEntry,
    Message,
    NotConfirmedError,
    Posted,
    Received,
    Record,
    RefusedError,
    Request,
)
from shared.store.aggregates import AggregateBook, Versioned, order_of

START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEFER_S = 1.0

Step: TypeAlias = Literal["begin", "answered", "receive", "load", "write", "commit", "commit_answer"]
"""Of a transaction; at `commit_answer` it has committed, and only the answer is lost."""
STEPS: tuple[Step, ...] = ("begin", "answered", "receive", "load", "write", "commit", "commit_answer")
Call: TypeAlias = Literal[
    "watch", "suspect", "acquit", "delete_confirmed", "claim_unsent", "defer_unsent", "park_unsent", "claim_intents",
    "release_intents", "reschedule", "park",
]  # fmt: skip
"""Of the store beside its transactions."""


class FakeClock:
    """The clock of the running loop, which a test may let jump; keeps what was slept."""

    def __init__(self) -> None:
        self.slept_s: list[float] = []

    def monotonic_s(self) -> float:
        return asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return START

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        await asyncio.sleep(seconds)


class FakePublisher:
    """A broker that confirms everything, unless `answers` says otherwise for the messages to come, one by one."""

    def __init__(self) -> None:
        self.published: list[Message] = []
        self.answers: deque[NotConfirmedError | BaseException | None] = deque()
        self.open = asyncio.Event()
        """While it is not set, no publish comes back."""
        self.open.set()

    async def publish(self, messages: Iterable[Message]) -> Sequence[NotConfirmedError | None]:
        sent = list(messages)
        self.published += sent
        await self.open.wait()
        answers = [self.answers.popleft() if self.answers else None for _ in sent]
        for answer in answers:
            if answer is not None and not isinstance(answer, NotConfirmedError):
                raise answer
        return [answer for answer in answers if answer is None or isinstance(answer, NotConfirmedError)]

    def refuse(self, *refused: bool) -> None:
        """Refuse, or confirm, the messages to come."""
        self.answers.extend(NotConfirmedError("no route") if each else None for each in refused)


class FakeConfirmations:
    """Confirmed rows that wait for a transaction."""

    def __init__(self, *waiting: Posted) -> None:
        self.waiting = list(waiting)

    def take(self) -> Sequence[Posted]:
        taken, self.waiting = self.waiting, []
        return taken

    def restore(self, confirmed: Sequence[Posted]) -> None:
        self.waiting += confirmed


@dataclass(slots=True)
class StoredIntent:
    """A row of `intents`."""

    claim: Claim
    due_s: float
    leased_until_s: float = float("-inf")
    parked: bool = False
    error: str | None = None


@dataclass(slots=True)
class Tables:
    """What is committed, or would be."""

    inbox: dict[UUID, str] = field(default_factory=dict)
    states: dict[UUID, Versioned] = field(default_factory=dict)
    log: list[LogEntry] = field(default_factory=list)
    outbox: dict[UUID, tuple[Logged, float]] = field(default_factory=dict)
    """With the time from which a sweeper may claim it."""
    generations: dict[UUID, int] = field(default_factory=dict)
    """Of the rows of the outbox that a refill has put there again."""
    unfit: dict[UUID, str] = field(default_factory=dict)
    """What is wrong with the rows of the outbox that are parked."""
    intents: dict[tuple[UUID, str], StoredIntent] = field(default_factory=dict)
    answers: dict[tuple[str, str, str], tuple[str, Answer]] = field(default_factory=dict)
    suspects: dict[UUID, tuple[UUID, int]] = field(default_factory=dict)
    """The life that began it last, and how many lives began it alone."""

    def posted(self, event_id: UUID) -> Posted:
        """Give a row of the outbox as it is published now."""
        return Posted(event_id, self.generations.get(event_id, 0))

    def delete(self, confirmed: Collection[Posted]) -> None:
        """Delete those rows of the outbox that are still what was confirmed."""
        for posted in confirmed:
            if posted == self.posted(posted.event_id):
                self.outbox.pop(posted.event_id, None)


class FakeStore:
    """A service's schema in memory. It refuses events with a field `poison` that is true, as a constraint would."""

    def __init__(self, clock: FakeClock, *, grace_s: float = 10.0, lease_s: float = 30.0) -> None:
        self.clock = clock
        self.grace_s = grace_s
        self.lease_s = lease_s
        self.tables = Tables()
        self.batches: list[int] = []
        """How many events each transaction received, whether or not it committed."""
        self.open = asyncio.Event()
        """While it is not set, every transaction waits before its commit, and every claim of intents for its answer."""
        self.open.set()
        self._failures: dict[str, deque[Exception]] = defaultdict(deque)

    def fail(self, at: Step | Call, *errors: Exception) -> None:
        """Raise these, one each time that this step is reached."""
        self._failures[at].extend(errors)

    def reach(self, step: Step | Call) -> None:
        """Raise what this step was told to."""
        if self._failures[step]:
            raise self._failures[step].popleft()

    @property
    def failures_left(self) -> int:
        """How many failures no step has met yet: a test that leaves one has not tested what it meant to."""
        return sum(map(len, self._failures.values()))

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["FakeTransaction"]:
        self.reach("begin")
        transaction = FakeTransaction(self, deepcopy(self.tables))
        yield transaction
        await self.open.wait()
        self.reach("commit")
        self.tables = transaction.tables
        self.reach("commit_answer")

    async def watch(self, event_ids: Collection[UUID], life: UUID) -> Collection[UUID]:
        self.reach("watch")
        suspects = self.tables.suspects
        return {each for each in event_ids if suspects.setdefault(each, (life, 0))[0] != life}

    async def suspect(self, event_id: UUID, life: UUID) -> int:
        self.reach("suspect")
        last, runs = self.tables.suspects[event_id]
        self.tables.suspects[event_id] = (life, runs + (last != life))
        return self.tables.suspects[event_id][1]

    async def acquit(self, event_ids: Collection[UUID]) -> None:
        self.reach("acquit")
        for event_id in event_ids:
            self.tables.suspects.pop(event_id, None)

    async def delete_confirmed(self, confirmed: Collection[Posted]) -> None:
        self.reach("delete_confirmed")
        self.tables.delete(confirmed)

    async def claim_unsent(self, limit: int, grace_s: float) -> Sequence[tuple[Logged, Posted]]:
        self.reach("claim_unsent")
        now_s, outbox = self.clock.monotonic_s(), self.tables.outbox
        claimed = [logged for logged, available_s in outbox.values() if available_s <= now_s][:limit]
        outbox.update({logged.event_id: (logged, now_s + grace_s) for logged in claimed})
        return [(logged, self.tables.posted(logged.event_id)) for logged in claimed]

    async def defer_unsent(self, event_ids: Collection[UUID]) -> None:
        self.reach("defer_unsent")
        available_s = self.clock.monotonic_s() + DEFER_S
        for event_id in event_ids:
            self.tables.outbox[event_id] = (self.tables.outbox[event_id][0], available_s)

    async def park_unsent(self, errors: Mapping[UUID, str]) -> None:
        self.reach("park_unsent")
        self.tables.unfit.update(errors)
        for event_id in errors:
            self.tables.outbox[event_id] = (self.tables.outbox[event_id][0], float("inf"))

    async def claim_intents(self, limit: int, lease_s: float) -> Sequence[Claim]:
        self.reach("claim_intents")
        now_s = self.clock.monotonic_s()
        firsts = list({stream: row for (stream, _), row in reversed(self.tables.intents.items())}.values())[::-1]
        due = [row for row in firsts if row.due_s <= now_s and row.leased_until_s <= now_s and not row.parked]
        due = sorted(due, key=lambda row: row.due_s)[:limit]
        for row in due:
            row.leased_until_s = now_s + lease_s
            row.claim = replace(row.claim, attempts=row.claim.attempts + 1, token=row.claim.token + 1)
        await self.open.wait()
        return [row.claim for row in due]

    async def release_intents(self, claims: Collection[Claim]) -> None:
        self.reach("release_intents")
        for row in [row for claim in claims for row in self._held(claim)]:
            row.leased_until_s, row.claim = float("-inf"), replace(row.claim, attempts=row.claim.attempts - 1)

    async def reschedule(
        self, claim: Claim, after_s: float, error: str, *, raised: bool = False, asked: bool = True
    ) -> None:
        self.reach("reschedule")
        for row in self._held(claim):
            attempts = row.claim.attempts - (not asked)
            row.claim = replace(row.claim, raised=row.claim.raised + raised, attempts=attempts)
            row.due_s, row.leased_until_s, row.error = self.clock.monotonic_s() + after_s, float("-inf"), error

    async def park(self, claim: Claim, error: str) -> None:
        self.reach("park")
        for row in self._held(claim):
            row.parked, row.error = True, error

    def _held(self, claim: Claim) -> list[StoredIntent]:
        return [
            row
            for row in self.tables.intents.values()
            if (row.claim.intent_id, row.claim.token) == (claim.intent_id, claim.token)
        ]


class FakeTransaction:
    """A transaction over a copy of the tables."""

    def __init__(self, store: FakeStore, tables: Tables) -> None:
        self.tables = tables
        self._store = store

    async def answered(self, requests: Sequence[Request]) -> Mapping[tuple[str, str, str], tuple[str, Answer]]:
        self._store.reach("answered")
        found = {request.identity for request in requests} & self.tables.answers.keys()
        return {identity: self.tables.answers[identity] for identity in found}

    async def receive(self, envelopes: Sequence[Envelope]) -> Received:
        self._store.batches.append(len(envelopes))
        self._store.reach("receive")
        fresh = frozenset(e.event_id for e in envelopes) - self.tables.inbox.keys()
        self.tables.inbox.update(dict.fromkeys(fresh, "advanced"))
        return Received(fresh, START + timedelta(seconds=len(self.tables.log)))

    async def load(self, events: Sequence[Event]) -> AggregateBook[UUID]:
        self._store.reach("load")
        keys = self.tables.states.keys() & set(map(order_of, events))
        loaded = {key: replace(self.tables.states[key]) for key in keys}
        return AggregateBook(order_of, lambda order_id: order_id, loaded)

    async def write(self, book: Any, record: Record) -> Sequence[Claim]:
        self._store.reach("write")
        tables = self.tables
        if any(b'"poison":true' in entry.logged.payload for entry in record.entries):
            raise RefusedError("a constraint refuses poison")
        tables.inbox.update(dict.fromkeys(record.ignored, "ignored"))
        for event_id in record.raised:
            del tables.inbox[event_id]
        for event_id in record.survived:
            tables.suspects.pop(event_id, None)
        for key, versioned in book.loaded.items():
            tables.states[key] = Versioned(versioned.state, versioned.version, versioned.version)
        tables.log += record.entries
        available_s = self._store.clock.monotonic_s() + self._store.grace_s
        tables.outbox.update({e.logged.event_id: (e.logged, available_s) for e in record.entries if e.public})
        tables.delete(record.confirmed)
        tables.answers.update({request.identity: (request.body_hash, a) for request, _, a in record.answers})
        return self._intents(record)

    def _intents(self, record: Record) -> Sequence[Claim]:
        intents = self.tables.intents
        for place, row in list(intents.items()):
            if place in record.withdrawn or row.claim.intent_id in record.completed:
                del intents[place]
        return [
            claim for place, (intent, cause) in record.intents.items() if (claim := self._add(place, intent, cause))
        ]

    def _add(self, place: tuple[UUID, str], intent: Intent, cause: Logged) -> Claim | None:
        intents, now_s = self.tables.intents, self._store.clock.monotonic_s()
        if place in intents:
            raise ConflictError("such an intent waits already")
        hot = intent.after_s == 0 and all(stream != place[0] for stream, _ in intents)
        intent_id = derived_id(cause.event_id, intent.kind)
        claim = Claim(
            intent_id, intent, cause.correlation_id, cause.event_id, cause.traceparent, int(hot), token=int(hot)
        )
        intents[place] = StoredIntent(claim, now_s + intent.after_s)
        if hot:
            intents[place].leased_until_s = now_s + self._store.lease_s
        return claim if hot else None
