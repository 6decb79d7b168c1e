"""What the dashboard keeps: the events as the feeds told them, and for each order, told from its events, a row and
what it makes services wait for.

A page of a feed is kept in one transaction with the place behind it, so reading everything again from the beginning
comes to the same rows, and reading a page twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.dashboard.dance import Dance
from services.dashboard.feeds import FeedPage
from services.dashboard.log import Asked, Happened, Verdict
from services.dashboard.story import Kind, Story, tell
from shared.store.connection import by_whose_fault, rows_json

_ALONE = text("SELECT pg_advisory_xact_lock(hashtext('dashboard'))")
"""Held by who writes: two who tell one order's story from half of its events each would both be wrong."""
_PLACE = text("SELECT place FROM feeds WHERE service = :service")
_MOVE = text("""
    INSERT INTO feeds (service, place) VALUES (:service, :place)
    ON CONFLICT (service) DO UPDATE SET place = excluded.place
""")
_KEEP = text("""
    INSERT INTO events (event_id, order_id, service, name, type, stream_id, version, causation_id, occurred_at, public,
        traceparent, attempts, data)
    SELECT * FROM json_to_recordset(:rows) AS r(event_id uuid, order_id uuid, service text, name text, type text,
        stream_id uuid, version bigint, causation_id uuid, occurred_at timestamptz, public boolean, traceparent text,
        attempts integer, data jsonb)
    ON CONFLICT (event_id) DO NOTHING
""")
_LOGS = text("""
    SELECT event_id, order_id, service, name, type, version, causation_id, occurred_at AS at, public, data, traceparent,
        attempts
    FROM events WHERE order_id = ANY(:orders)
""")
_VERDICTS = text("SELECT service, event_id, order_id, outcome, why, at FROM verdicts WHERE order_id = ANY(:orders)")
_TELL = text("""
    INSERT INTO orders (order_id, status, settled, reason, customer_id, placed_at, last_event, last_at, events,
        waiting_for, waiting_kind, waiting_since)
    SELECT * FROM json_to_recordset(:rows) AS r(order_id uuid, status text, settled boolean, reason text,
        customer_id text, placed_at timestamptz, last_event text, last_at timestamptz, events integer,
        waiting_for text, waiting_kind text, waiting_since timestamptz)
    ON CONFLICT (order_id) DO UPDATE SET status = excluded.status, settled = excluded.settled,
        reason = excluded.reason, customer_id = excluded.customer_id, placed_at = excluded.placed_at,
        last_event = excluded.last_event, last_at = excluded.last_at, events = excluded.events,
        waiting_for = excluded.waiting_for, waiting_kind = excluded.waiting_kind,
        waiting_since = excluded.waiting_since
""")
_WAITED = text("DELETE FROM waits WHERE order_id = ANY(:orders)")
_WAIT = text("""
    INSERT INTO waits (order_id, event_id, service, name, since)
    SELECT * FROM json_to_recordset(:rows) AS r(order_id uuid, event_id uuid, service text, name text,
        since timestamptz)
""")
_JUDGE = text("""
    INSERT INTO verdicts (service, event_id, order_id, outcome, why, at)
    SELECT * FROM json_to_recordset(:rows) AS r(service text, event_id uuid, order_id uuid, outcome text, why text,
        at timestamptz)
    ON CONFLICT (service, event_id) DO UPDATE SET outcome = excluded.outcome, why = excluded.why, at = excluded.at
""")
_TAKE_BACK = text("""
    DELETE FROM verdicts AS v USING json_to_recordset(:rows) AS r(service text, event_id uuid)
    WHERE v.service = r.service AND v.event_id = r.event_id
""")
_LEARNED = text("""
    DELETE FROM verdicts AS v USING events AS e
    WHERE v.order_id = ANY(:orders) AND e.order_id = v.order_id AND e.service = v.service
    AND e.causation_id = v.event_id
""")
"""What a log tells, no inbox has to: so the rows are the same whether somebody asked before it was read or not."""
_ASKED = text("UPDATE orders SET asked_at = now() WHERE order_id = ANY(:orders)")
_TO_ASK = text("""
    SELECT order_id FROM orders
    WHERE waiting_since < now() - make_interval(secs => :after_s)
    AND (asked_at IS NULL OR asked_at < now() - greatest(make_interval(secs => :after_s),
        least(make_interval(secs => :most_s), (now() - waiting_since) / 10)))
    ORDER BY asked_at NULLS FIRST, order_id LIMIT :limit
""")


class Store:
    """The dashboard's schema. Every method raises `WorldError` where the database is out of reach."""

    def __init__(self, engine: AsyncEngine, dance: Dance, retention_s: float) -> None:
        self._engine = engine
        self._dance = dance
        self._retention = timedelta(seconds=retention_s)

    async def place(self, service: str) -> str | None:
        """Say how far a service's feed is read; None: nothing yet."""
        with by_whose_fault():
            async with self._engine.connect() as connection:
                return (await connection.execute(_PLACE, {"service": service})).scalar_one_or_none()

    async def keep(self, service: str, after: str | None, page: FeedPage) -> set[UUID] | None:
        """Keep a page that was read after a place, and say which orders it is about.

        None: somebody else has read on from there meanwhile, and nothing is kept.
        """
        with by_whose_fault():
            async with self._engine.begin() as connection:
                await connection.execute(_ALONE)
                if (await connection.execute(_PLACE, {"service": service})).scalar_one_or_none() != after:
                    return None
                await connection.execute(_KEEP, {"rows": rows_json([dict(told) for told in page.events])})
                await connection.execute(_MOVE, {"service": service, "place": page.next})
                about = {told.order_id for told in page.events if told.name in self._dance.of_an_order}
                await self._tell(connection, about)
                return about

    async def judge(self, orders: Collection[UUID], answers: Mapping[Asked, Verdict | None]) -> None:
        """Keep what services answered about what some orders wait for, and tell their stories again.

        What was set aside and is not known now is replayed, and waited for anew; only of what is older than an inbox
        remembers does the last word stand.
        """
        with by_whose_fault():
            async with self._engine.begin() as connection:
                await connection.execute(_ALONE)
                logs = await _logs(connection, orders)
                about = {event.event_id: event for log in logs.values() for event in log}
                forgotten = self._forgotten()
                given, taken_back = list[dict[str, Any]](), list[dict[str, Any]]()
                for asked, verdict in answers.items():
                    if (event := about.get(asked.event_id)) is None:
                        continue
                    if verdict:
                        given.append({**asked._asdict(), "order_id": event.order_id, **asdict(verdict)})
                    elif event.at > forgotten:
                        taken_back.append(asked._asdict())
                await connection.execute(_JUDGE, {"rows": rows_json(given)})
                await connection.execute(_TAKE_BACK, {"rows": rows_json(taken_back)})
                await self._tell(connection, orders)
                await connection.execute(_ASKED, {"orders": list(orders)})

    async def to_ask_about(self, after_s: float, most_s: float, limit: int) -> list[UUID]:
        """Give orders that have waited for a while and were not asked about lately: the longer, the less often."""
        given = {"after_s": after_s, "most_s": most_s, "limit": limit}
        with by_whose_fault():
            async with self._engine.connect() as connection:
                return list((await connection.execute(_TO_ASK, given)).scalars())

    async def stories(self, orders: Collection[UUID]) -> dict[UUID, Story]:
        """Tell the stories of some orders; those that nobody knows are left out."""
        with by_whose_fault():
            async with self._engine.connect() as connection:
                return await self._stories(connection, orders)

    async def _tell(self, connection: AsyncConnection, orders: Collection[UUID]) -> None:
        await connection.execute(_LEARNED, {"orders": list(orders)})
        stories = await self._stories(connection, orders)
        rows = [order_row(order_id, story) for order_id, story in stories.items()]
        await connection.execute(_TELL, {"rows": rows_json(rows)})
        await connection.execute(_WAITED, {"orders": list(orders)})
        waits = [row for order_id, story in stories.items() for row in wait_rows(order_id, story)]
        await connection.execute(_WAIT, {"rows": rows_json(waits)})

    async def _stories(self, connection: AsyncConnection, orders: Collection[UUID]) -> dict[UUID, Story]:
        logs = await _logs(connection, orders)
        verdicts = defaultdict[UUID, dict[Asked, Verdict]](dict)
        for row in await connection.execute(_VERDICTS, {"orders": list(orders)}):
            verdicts[row.order_id][Asked(row.service, row.event_id)] = Verdict(row.outcome, row.why, row.at)
        forgotten = self._forgotten()
        return {
            order_id: tell(self._dance, logs[order_id], verdicts[order_id], forgotten)
            for order_id in sorted(orders)
            if order_id in logs
        }

    def _forgotten(self) -> datetime:
        """Give the time before which no inbox knows anything any more."""
        return datetime.now(UTC) - self._retention


def order_row(order_id: UUID, story: Story) -> dict[str, Any]:
    """Give the row of an order."""
    wait, last = story.waits_for, story.last
    assert last is not None, "a story has an event at least"
    placed = min(step.event.at for step in story.steps)
    return {
        "order_id": order_id,
        "status": story.status,
        "settled": story.settled,
        "reason": _said(story, "reason"),
        "customer_id": _said(story, "customer_id"),
        "placed_at": placed,
        "last_event": last.name,
        "last_at": last.at,
        "events": len(story.steps),
        "waiting_for": wait and wait.name,
        "waiting_kind": wait and wait.kind,
        "waiting_since": wait.since if wait and wait.can_be_late else None,
    }


def wait_rows(order_id: UUID, story: Story) -> list[dict[str, Any]]:
    """Give a row for each event of an order that a service has yet to react to."""
    waits = {(wait.service, wait.on.event_id): wait for wait in story.waits if wait.kind is Kind.REACTION}
    return [
        {"order_id": order_id, "event_id": event_id, "service": service, "name": wait.on.name, "since": wait.since}
        for (service, event_id), wait in waits.items()
    ]


def _said(story: Story, field: str) -> str | None:
    """Give what was told last to everybody under a name."""
    for step in reversed(story.steps):
        data = step.event.data
        if step.event.public and isinstance(data, dict) and isinstance(value := data.get(field), str):
            return value
    return None


async def _logs(connection: AsyncConnection, orders: Iterable[UUID]) -> dict[UUID, list[Happened]]:
    logs = defaultdict[UUID, list[Happened]](list)
    for row in await connection.execute(_LOGS, {"orders": list(orders)}):
        logs[row.order_id].append(Happened(**row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for it
    return logs
