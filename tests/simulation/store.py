"""The store port over `Tables`: what PostgreSQL does for the kit, as far as the kit can tell.

Time is the world's choice, so whatever waits for a time to come (a due date, a lease, a grace) is offered by name.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from shared.envelope import Envelope, Logged
from shared.event import Event
from shared.ids import derived_id
from shared.letters import Letter
from shared.outcome import Intent
from shared.ports import Answer, Claim, ConflictError, Posted, Received, Record, Request
from tests.simulation.instants import Instant
from tests.simulation.states import MemoryStates
from tests.simulation.tables import InboxRow, IntentRow, OutboxRow, Tables, without

START = datetime(2026, 1, 1, tzinfo=UTC)
"""When everything happens, by the database's clock."""

SWITCHES = frozenset(
    {
        "inbox",
        "inbox row removed for a raised reaction",
        "lease fencing",
        "mandatory publish",
        "provider key",
        "refill generation",
    }
)
"""Safeguards that are the database's, the broker's or the provider's rather than the code's, and that the model goes
without where it is told to. All others are taken out of the code. See `tests.ablation`."""

At = Callable[[Instant], Awaitable[None]]
"""Told at every instant at which something may go wrong; raises, or never returns, where it does."""


class MemoryStore:
    """One service's schema. `removed` names safeguards that this schema does without."""

    def __init__(self, states: MemoryStates, at: At, removed: Collection[str] = ()) -> None:
        self.tables = Tables()
        self.available: Collection[UUID] = ()
        """Outbox rows whose grace is over."""
        self.due: Collection[UUID] = ()
        """Intents whose time has come, and whose lease, if they have one, is over."""
        self.removed = removed
        self.states = states
        self._at = at

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["MemoryTransaction"]:
        """Begin; what was done is there once the block has ended."""
        await self._at(Instant.BEGIN)
        transaction = MemoryTransaction(self, self.tables)
        yield transaction
        await self._at(Instant.COMMIT)
        self.tables = transaction.tables
        await self._at(Instant.COMMITTED)

    async def watch(self, event_ids: Collection[UUID], life: UUID) -> Collection[UUID]:
        """Note events of a redelivered message; give those that another life had noted."""
        suspects = dict(self.tables.suspects)
        others = {each for each in event_ids if suspects.setdefault(each, (life, 0))[0] != life}
        self.tables = replace(self.tables, suspects=suspects)
        return others

    async def suspect(self, event_id: UUID, life: UUID) -> int:
        """Count this life among those that ran the event alone."""
        last, runs = self.tables.suspects[event_id]
        noted = life, runs + (last != life)
        self.tables = replace(self.tables, suspects={**self.tables.suspects, event_id: noted})
        return noted[1]

    async def acquit(self, event_ids: Collection[UUID]) -> None:
        """Forget suspects."""
        self.tables = replace(self.tables, suspects=without(self.tables.suspects, event_ids))

    async def delete_confirmed(self, confirmed: Collection[Posted]) -> None:
        """Delete outbox rows."""
        await self._at(Instant.DELETE)
        self.tables = replace(self.tables, outbox=self.unconfirmed(self.tables.outbox, confirmed))

    def unconfirmed(self, outbox: Mapping[UUID, OutboxRow], confirmed: Collection[Posted]) -> Mapping[UUID, OutboxRow]:
        """Leave out what is confirmed under the generation that it has now."""
        if "refill generation" in self.removed:
            return without(outbox, {posted.event_id for posted in confirmed})
        generations = {event_id: row.generation for event_id, row in outbox.items()}
        return without(
            outbox, {each.event_id for each in confirmed if generations.get(each.event_id) == each.generation}
        )

    async def claim_unsent(self, limit: int, grace_s: float) -> Sequence[tuple[Logged, Posted]]:
        """Give outbox rows whose grace is over."""
        rows = [self.tables.outbox[event_id] for event_id in sorted(self.tables.outbox.keys() & self.available)]
        return [(row.entry.logged, Posted(row.entry.logged.event_id, row.generation)) for row in rows[:limit]]

    async def defer_unsent(self, event_ids: Collection[UUID]) -> None:
        """Leave them to a later sweep, as any row is that lies there."""

    async def park_unsent(self, errors: Mapping[UUID, str]) -> None:
        """Fail: everything that the services log can be encoded."""
        raise AssertionError(f"cannot be encoded: {errors}")

    async def claim_intents(self, limit: int, lease_s: float) -> Sequence[Claim]:
        """Lease what is due, the first of each stream only."""
        claims = []
        for place, row in self.tables.intents.items():
            if row.claim.intent_id in self.due and not row.parked and self._is_first(place, row):
                claim = replace(row.claim, attempts=row.claim.attempts + 1, token=row.claim.token + 1)
                self.tables = self.tables.with_intent(place, row._replace(claim=claim, leased=True))
                claims.append(claim)
        return claims[:limit]

    async def release_intents(self, claims: Collection[Claim]) -> None:
        """Give back what was not started."""
        for claim in claims:
            self._change(claim, attempts=claim.attempts - 1)

    async def reschedule(
        self, claim: Claim, after_s: float, error: str, *, raised: bool = False, asked: bool = True
    ) -> None:
        """Give back what was not answered."""
        await self._at(Instant.RESCHEDULE)
        self._change(claim, raised=claim.raised + raised, attempts=claim.attempts - (not asked))

    async def park(self, claim: Claim, error: str) -> None:
        """Set aside."""
        self._change(claim, parked=True)

    async def keep(self, letters: Sequence[Letter]) -> None:
        """Keep dead letters, and note in the inbox that their events are dead."""
        await self._at(Instant.KEEP)
        tables = self.tables
        dead = {
            each.event_id: InboxRow(each.type or "", each.correlation_id, "dead")
            for each in letters
            if each.event_id is not None
        }
        self.tables = replace(
            tables,
            inbox={**dead, **tables.inbox},
            letters={**tables.letters, **{letter.letter_id: letter for letter in letters}},
            suspects=without(tables.suspects, dead),
        )

    def _is_first(self, place: tuple[UUID, str], row: IntentRow) -> bool:
        same = [other.position for (stream, _), other in self.tables.intents.items() if stream == place[0]]
        return row.position == min(same)

    def _change(self, claim: Claim, *, parked: bool = False, **changes: Any) -> None:
        """Give a row back, if the lease was not lost."""
        if found := self.tables.intent(claim) or self._unfenced(claim):
            place, row = found
            self.tables = self.tables.with_intent(
                place, row._replace(claim=replace(row.claim, **changes), leased=False, parked=parked)
            )

    def _unfenced(self, claim: Claim) -> tuple[tuple[UUID, str], IntentRow] | None:
        """Without lease fencing, any token is good."""
        if "lease fencing" not in self.removed:
            return None
        found = [(p, row) for p, row in self.tables.intents.items() if row.claim.intent_id == claim.intent_id]
        return found[0] if found else None


class MemoryTransaction:
    """One transaction; nobody sees `tables` before the commit."""

    def __init__(self, store: MemoryStore, tables: Tables) -> None:
        self.tables = tables
        self._store = store

    async def answered(self, requests: Sequence[Request]) -> Mapping[tuple[str, str, str], tuple[str, Answer]]:
        """Find the requests that were answered before."""
        asked, answers = {request.identity for request in requests}, self.tables.answers
        return {identity: answers[identity] for identity in asked if identity in answers}

    async def receive(self, envelopes: Sequence[Envelope]) -> Received:
        """Put ids into the inbox."""
        inbox = self.tables.inbox
        fresh = {
            each.event_id: InboxRow(each.type, each.correlation_id) for each in envelopes if each.event_id not in inbox
        }
        if "inbox" in self._store.removed:
            fresh = {each.event_id: InboxRow(each.type, each.correlation_id) for each in envelopes}
        self.tables = replace(self.tables, inbox={**inbox, **fresh})
        return Received(frozenset(fresh), START)

    async def load(self, events: Sequence[Event]) -> Any:
        """Load the states."""
        return self._store.states.load(self.tables, events)

    async def write(self, book: Any, record: Record) -> Sequence[Claim]:
        """Save everything."""
        tables = self.tables
        inbox = dict(tables.inbox)
        for event_id in record.ignored:
            inbox[event_id] = inbox[event_id]._replace(outcome="ignored")
        if "inbox row removed for a raised reaction" not in self._store.removed:
            inbox = without(inbox, record.raised)
        logs = dict(tables.logs)
        for entry in record.entries:
            logs[entry.stream_id] = (*logs.get(entry.stream_id, ()), entry)
        posted = {entry.logged.event_id: OutboxRow(entry) for entry in record.entries if entry.public}
        self.tables = replace(
            tables,
            states=self._store.states.save(tables, book, by_version="version guard" not in self._store.removed),
            inbox=inbox,
            logs=logs,
            outbox=self._store.unconfirmed({**tables.outbox, **posted}, record.confirmed),
            suspects=without(tables.suspects, record.survived) if record.survived else tables.suspects,
            answers={
                **tables.answers,
                **{request.identity: (request.body_hash, a) for request, _, a in record.answers},
            },
        )
        return self._intents(record)

    def _intents(self, record: Record) -> Sequence[Claim]:
        if not (record.completed or record.withdrawn or record.intents):
            return ()
        intents = {
            place: row
            for place, row in self.tables.intents.items()
            if place not in record.withdrawn and row.claim.intent_id not in record.completed
        }
        position, claims = self.tables.position, []
        for place, (intent, cause) in record.intents.items():
            if place in intents:
                raise ConflictError("such an intent waits already")
            hot = intent.after_s == 0 and all(stream != place[0] for stream, _ in intents)
            position += 1
            claim = _claim(intent, cause, hot=hot)
            intents[place] = IntentRow(claim, position, leased=hot)
            claims += [claim] if hot else []
        self.tables = replace(self.tables, intents=intents, position=position)
        return claims


def _claim(intent: Intent, cause: Logged, *, hot: bool) -> Claim:
    return Claim(
        intent_id=derived_id(cause.event_id, intent.kind),
        intent=intent,
        correlation_id=cause.correlation_id,
        causation_id=cause.event_id,
        traceparent=cause.traceparent,
        attempts=int(hot),
        token=int(hot),
    )
