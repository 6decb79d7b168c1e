"""The store port over PostgreSQL: the tables of the kit here, a service's own behind `States`."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import orjson
from loguru import logger
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.envelope import Envelope, Logged
from shared.event import Event
from shared.ids import derived_id
from shared.outcome import Intent
from shared.ports import Answer, Claim, LogEntry, Posted, Received, Record, Request
from shared.store import statements as sql
from shared.store.actions import Act, record_acts
from shared.store.connection import by_whose_fault, rows_json
from shared.store.driver import Driver, Statement, driving, transacting

DEFER_MOST_S = 15.0
"""The longest that an outbox row which could not be sent waits for the next attempt."""
PRUNE_MAX_ROWS = 5_000


class States(Protocol):
    """A service's own tables: its `store.py`."""

    async def load(self, driver: Driver, events: Sequence[Event]) -> Any:
        """Load and lock what `events` are about, into a book."""

    async def save(self, driver: Driver, book: Any) -> None:
        """Save what changed in the book."""


class PostgresStore:
    """One service's schema. Intents are known by `intents`; graces and leases are in seconds."""

    def __init__(
        self,
        service: str,
        engine: AsyncEngine,
        states: States,
        intents: Collection[type[Intent]],
        *,
        grace_s: float,
        lease_s: float,
    ) -> None:
        self.engine = engine
        self._service = service
        self._states = states
        self._intents = {intent.kind: intent for intent in intents}
        self._grace_s = grace_s
        self._lease_s = lease_s

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator["PostgresTransaction"]:
        """Begin a transaction that commits at the end of the block."""
        with by_whose_fault():
            async with transacting(self.engine) as driver:
                yield PostgresTransaction(driver, self._states, self._grace_s, self._lease_s)

    async def watch(self, event_ids: Collection[UUID], life: UUID) -> Collection[UUID]:
        """Note events of a redelivered message as begun in this life; give those noted in another."""
        rows = await self._run(sql.WATCH, event_ids=list(event_ids), life=life)
        return {row["event_id"] for row in rows}

    async def suspect(self, event_id: UUID, life: UUID) -> int:
        """Count this life among those that ran a watched event alone."""
        rows = await self._run(sql.SUSPECT, event_id=event_id, life=life)
        return sum(row["runs"] for row in rows)

    async def acquit(self, event_ids: Collection[UUID]) -> None:
        """Forget events that were watched."""
        await self._run(sql.SURVIVED, event_ids=list(event_ids))

    async def delete_confirmed(self, confirmed: Collection[Posted]) -> None:
        """Delete outbox rows that the broker has confirmed."""
        await self._run(sql.DELETE_CONFIRMED, **_columns(confirmed))

    async def claim_unsent(self, limit: int, grace_s: float) -> Sequence[tuple[Logged, Posted]]:
        """Take outbox rows whose grace is over."""
        rows = await self._run(sql.CLAIM_UNSENT, limit=limit, grace_s=grace_s)
        return [(logged_of(row, self._service), Posted(row["event_id"], row["generation"])) for row in rows]

    async def defer_unsent(self, event_ids: Collection[UUID]) -> None:
        """Make rows available again, each after its own backoff."""
        await self._run(sql.DEFER_UNSENT, event_ids=list(event_ids), most_s=DEFER_MOST_S)

    async def park_unsent(self, errors: Mapping[UUID, str]) -> None:
        """Set outbox rows aside."""
        rows = [{"event_id": event_id, "error": errors[event_id]} for event_id in sorted(errors)]
        await self._run(sql.PARK_UNSENT, rows=rows_json(rows))

    async def claim_intents(self, limit: int, lease_s: float) -> Sequence[Claim]:
        """Take intents that are due, the first of each stream only."""
        claims = []
        for row in await self._run(sql.CLAIM_INTENTS, limit=limit, lease_s=lease_s):
            try:
                claims.append(self._claim(row))
            except (KeyError, ValidationError) as error:  # of another release: a person's matter, no reason to stop
                logger.error("intent {} of kind {} cannot be read, parked", row["intent_id"], row["kind"])
                unread = f"{type(error).__name__}: cannot be read as a {row['kind']}"
                await self._run(sql.PARK, intent_id=row["intent_id"], token=row["token"], error=unread)
        return claims

    async def release_intents(self, claims: Collection[Claim]) -> None:
        """Give back intents that were claimed and never started, due at once; that attempt does not count."""
        rows = [{"intent_id": claim.intent_id, "token": claim.token} for claim in claims]
        await self._run(sql.RELEASE, rows=rows_json(rows))

    async def reschedule(
        self, claim: Claim, after_s: float, error: str, *, raised: bool = False, asked: bool = True
    ) -> None:
        """Give an intent back, unless the lease was lost; an attempt that asked nobody does not count."""
        given_back = {"intent_id": claim.intent_id, "token": claim.token, "after_s": after_s, "error": error}
        await self._run(sql.RESCHEDULE, **given_back, raised=raised, asked=asked)

    async def park(self, claim: Claim, error: str) -> None:
        """Set an intent aside, unless the lease was lost."""
        await self._run(sql.PARK, intent_id=claim.intent_id, token=claim.token, error=error)

    async def prune(self, retention_s: float) -> int:
        """Forget some of the inbox rows and answered requests that are older than `retention_s`; say how many."""
        forgotten = 0
        for statement in (sql.PRUNE_INBOX, sql.PRUNE_REQUESTS, sql.PRUNE_SUSPECTS):
            with by_whose_fault():
                async with driving(self.engine) as driver:
                    forgotten += await statement.run(driver, retention_s=retention_s, limit=PRUNE_MAX_ROWS)
        return forgotten

    async def _run(self, statement: Statement, **parameters: Any) -> Sequence[asyncpg.Record]:
        with by_whose_fault():
            async with driving(self.engine) as driver:
                return await statement.rows(driver, **parameters)

    def _claim(self, row: asyncpg.Record) -> Claim:
        return Claim(
            intent_id=row["intent_id"],
            intent=self._intents[row["kind"]].model_validate_json(row["payload"]),
            correlation_id=row["correlation_id"],
            causation_id=row["causation_id"],
            traceparent=row["traceparent"],
            attempts=row["attempts"],
            token=row["token"],
            raised=row["raised"],
            age_s=row["age_s"],
        )


class PostgresTransaction:
    """The transaction port over one connection. Tables come in one order, or two batches could deadlock."""

    def __init__(self, driver: Driver, states: States, grace_s: float, lease_s: float) -> None:
        self._driver = driver
        self._states = states
        self._grace_s = grace_s
        self._lease_s = lease_s

    async def answered(self, requests: Sequence[Request]) -> Mapping[tuple[str, str, str], tuple[str, Answer]]:
        """Find the requests that were answered before."""
        rows = [{"caller": r.caller, "route": r.route, "key": r.key} for r in requests]
        found = await sql.ANSWERED.rows(self._driver, rows=rows_json(rows))
        return {
            (row["caller"], row["route"], row["key"]): (
                row["body_hash"],
                Answer(row["status"], row["body"]),
            )
            for row in found
        }

    async def receive(self, envelopes: Sequence[Envelope]) -> Received:
        """Put ids into the inbox."""
        rows = [{"event_id": e.event_id, "type": e.type} for e in envelopes]
        (row,) = await sql.RECEIVE.rows(self._driver, rows=rows_json(rows))
        return Received(frozenset(row["fresh"] or ()), row["now"])

    async def load(self, events: Sequence[Event]) -> Any:
        """Load and lock the states."""
        return await self._states.load(self._driver, events)

    async def write(self, book: Any, record: Record) -> Sequence[Claim]:
        """Save the states, then everything beside them."""
        if record.ignored:
            rows = [{"event_id": e, "reason": reason} for e, reason in sorted(record.ignored.items())]
            await sql.IGNORE.run(self._driver, rows=rows_json(rows))
        if record.raised:
            await sql.FORGET_RAISED.run(self._driver, event_ids=record.raised)
        if record.survived:
            await sql.SURVIVED.run(self._driver, event_ids=record.survived)
        await self._states.save(self._driver, book)
        if record.entries:
            rows = [_entry_row(e, record.attempts.get(e.logged.causation_id, 1)) for e in record.entries]
            await sql.LOG.run(self._driver, rows=rows_json(rows), grace_s=self._grace_s)
        if record.confirmed:
            await sql.DELETE_CONFIRMED.run(self._driver, **_columns(record.confirmed))
        claims = await self._intents(record)
        if record.answers:
            await sql.ANSWER.run(self._driver, rows=rows_json([_answer_row(*answer) for answer in record.answers]))
            await record_acts(self._driver, [act for answer in record.answers if (act := _act(*answer)) is not None])
        return claims

    async def _intents(self, record: Record) -> Sequence[Claim]:
        if record.completed or record.withdrawn:
            withdrawn = [{"stream_id": stream, "kind": kind} for stream, kind in sorted(record.withdrawn)]
            await sql.WITHDRAW.run(self._driver, completed=record.completed, withdrawn=rows_json(withdrawn))
        if not record.intents:
            return ()
        new = {
            derived_id(cause.event_id, intent.kind): (stream_id, intent, cause)
            for (stream_id, _), (intent, cause) in record.intents.items()
        }
        rows = [
            {**_intent_row(intent_id, *what), "ordinal": ordinal}
            for ordinal, (intent_id, what) in enumerate(new.items())
        ]
        inserted = await sql.INTEND.rows(self._driver, rows=rows_json(rows), lease_s=self._lease_s)
        claims = []
        for intent_id, token in inserted:
            _, intent, cause = new[intent_id]
            if token:
                claims.append(
                    Claim(intent_id, intent, cause.correlation_id, cause.event_id, cause.traceparent, 1, token)
                )
        return claims


def logged_of(row: asyncpg.Record, owner: str) -> Logged:
    """Read an event of a service's log from a row with the columns of `Logged`; the payload is text."""
    return Logged(
        event_id=row["event_id"],
        type=row["type"],
        owner=owner,
        payload=row["payload"].encode(),
        correlation_id=row["correlation_id"],
        causation_id=row["causation_id"],
        traceparent=row["traceparent"],
        occurred_at=row["occurred_at"],
    )


def _columns(confirmed: Collection[Posted]) -> dict[str, Any]:
    return {
        "event_ids": [posted.event_id for posted in confirmed],
        "generations": [posted.generation for posted in confirmed],
    }


def _entry_row(entry: LogEntry, attempts: int) -> dict[str, Any]:
    logged = entry.logged
    return {
        "event_id": logged.event_id,
        "stream_id": entry.stream_id,
        "version": entry.version,
        "type": logged.type,
        "payload": orjson.Fragment(logged.payload),
        "correlation_id": logged.correlation_id,
        "causation_id": logged.causation_id,
        "traceparent": logged.traceparent,
        "occurred_at": logged.occurred_at,
        "public": entry.public,
        "attempts": attempts,
    }


def _intent_row(intent_id: UUID, stream_id: UUID, intent: Intent, cause: Logged) -> dict[str, Any]:
    return {
        "intent_id": intent_id,
        "stream_id": stream_id,
        "kind": intent.kind,
        "payload": orjson.Fragment(intent.model_dump_json()),
        "correlation_id": cause.correlation_id,
        "causation_id": cause.event_id,
        "traceparent": cause.traceparent,
        "after_s": intent.after_s,
    }


def _act(request: Request, event_id: UUID, answer: Answer) -> Act | None:
    """Give what an operator's request is recorded as; None where a customer asked."""
    details = {"event_id": event_id, "key": request.key, "status": answer.status}
    return None if request.action is None else Act(request.action, request.route, details)


def _answer_row(request: Request, event_id: UUID, answer: Answer) -> dict[str, Any]:
    return {
        "caller": request.caller,
        "route": request.route,
        "key": request.key,
        "body_hash": request.body_hash,
        "event_id": event_id,
        "status": answer.status,
        "body": answer.body,
    }
