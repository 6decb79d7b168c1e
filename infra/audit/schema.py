"""One service's schema as it was at one instant, read by key."""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.audit import statements as sql
from infra.audit.facts import Entry, Letter, Reacted, Unreadable, Waiting
from services.inventory.store import from_row as reservation
from services.notification.store import from_row as correspondence
from services.order.store import from_row as order
from services.payment.store import from_row as payment
from shared.event import VOCABULARY, Event
from shared.store.driver import Driver, Statement, driving

FROM_ROW = {"order": order, "inventory": reservation, "payment": payment, "notification": correspondence}


@dataclass(frozen=True, slots=True)
class Rows:
    """What a schema holds of some orders, each kind by order."""

    states: Mapping[UUID, tuple[Any, int]]
    logs: Mapping[UUID, tuple[Entry, ...]]
    letters: Mapping[UUID, tuple[Letter, ...]]
    outbox: Mapping[UUID, bool]
    """By event: whether it is parked."""
    intents: Mapping[UUID, tuple[Waiting, ...]]


class Schema:
    """A read-only snapshot of one schema; `now` is when it was taken, by the database's clock.

    All methods raise as `Statement.rows` does.
    """

    def __init__(self, service: str, driver: Driver, now: datetime) -> None:
        self.service = service
        self.now = now
        self._driver = driver

    async def rows(self, statement: Statement, **parameters: Any) -> Iterable[asyncpg.Record]:
        """Run one of the audit's statements."""
        return await statement.rows(self._driver, **parameters)

    async def read(self, order_ids: Collection[UUID]) -> Rows:
        """Read what it holds of some orders."""
        logs, letters = await self._logs(order_ids), await self._letters(order_ids)
        entries = {entry.event_id: entry for log in logs.values() for entry in log}
        return Rows(
            states=await self._states(order_ids),
            logs=logs,
            letters=letters,
            outbox={row["event_id"]: row["parked"] for row in await self.rows(sql.OUTBOX, event_ids=list(entries))},
            intents=await self._intents(order_ids, entries),
        )

    async def inbox(self, event_ids: Collection[UUID]) -> dict[UUID, Reacted]:
        """Read what the inbox says of some events."""
        rows = await self.rows(sql.INBOX, event_ids=list(event_ids))
        return {row["event_id"]: Reacted(row["event_id"], row["type"], row["outcome"]) for row in rows}

    async def _states(self, order_ids: Collection[UUID]) -> dict[UUID, tuple[Any, int]]:
        rows = await self.rows(sql.STATE_OF[self.service], order_ids=list(order_ids))
        return {row["order_id"]: (_state(self.service, row), row["version"]) for row in rows}

    async def _logs(self, order_ids: Collection[UUID]) -> dict[UUID, tuple[Entry, ...]]:
        logs: dict[UUID, list[Entry]] = defaultdict(list)
        for row in await self.rows(sql.LOG, order_ids=list(order_ids)):
            event_id, stream_id, version, type_, payload, *rest = row
            logs[stream_id].append(Entry(event_id, version, type_, payload, _event(type_, payload), *rest))
        return {order_id: tuple(log) for order_id, log in logs.items()}

    async def _letters(self, order_ids: Collection[UUID]) -> dict[UUID, tuple[Letter, ...]]:
        letters: dict[UUID, list[Letter]] = defaultdict(list)
        for row in await self.rows(sql.LETTERS_OF, order_ids=list(order_ids)):
            letters[row["correlation_id"]].append(letter_of(row))
        return {order_id: tuple(some) for order_id, some in letters.items()}

    async def _intents(
        self, order_ids: Collection[UUID], entries: Mapping[UUID, Entry]
    ) -> dict[UUID, tuple[Waiting, ...]]:
        intents: dict[UUID, list[Waiting]] = defaultdict(list)
        for row in await self.rows(sql.INTENTS, order_ids=list(order_ids)):
            cause = entries.get(row["causation_id"])
            since = cause.occurred_at + timedelta(seconds=row["after_s"] or 0) if cause else row["due_at"]
            text = f"{row['payload']}\n{row['last_error']}"
            waiting = Waiting(f"{row['kind']} {row['intent_id']}", since, row["parked"], text)
            intents[row["stream_id"]].append(waiting)
        return {order_id: tuple(some) for order_id, some in intents.items()}


def letter_of(row: asyncpg.Record) -> Letter:
    """Read a dead letter off its row, with why it is one; bytes that are no text are read as far as they are."""
    text = f"{row['body'].decode(errors='replace')}\n{row['reason']}"
    return Letter(row["letter_id"], row["lane"], row["event_id"], row["type"], text)


def _state(service: str, row: asyncpg.Record) -> Any:
    try:
        return FROM_ROW[service](row)
    except (ValueError, TypeError, LookupError, AssertionError) as error:  # pydantic's is a ValueError
        return Unreadable(f"a row that is no state ({type(error).__name__})")


def _event(type_: str, payload: str) -> Event | None:
    try:
        return VOCABULARY[type_].model_validate_json(payload)
    except (KeyError, ValidationError):  # of another release, or none of ours
        return None


@asynccontextmanager
async def snapshot(engine: AsyncEngine, service: str) -> AsyncIterator[Schema]:
    """See one schema as it is now for as long as the block runs; the role could not change it if it tried."""
    async with driving(engine) as driver:
        await driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            await driver.execute(f"SET LOCAL search_path = {service}_service")
            yield Schema(service, driver, await driver.fetchval("SELECT now()"))
        finally:
            if not driver.is_closed():
                await driver.execute("ROLLBACK")
