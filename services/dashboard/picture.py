"""What the pages ask of the picture: lists, counts, what is stuck, how much happens."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.dashboard.story import Status
from shared.store.connection import by_whose_fault

PAGE_MAX_ORDERS = 50
FRESH_S = 1.0
GROUP_MAX_ORDERS = 20
RATE_WINDOW_S = 60
STUCK = "stuck"
STATES = (*Status, STUCK)
"""What orders are filtered by. Stuck is one that has waited longer than the bound, however else it stands."""
ID_DIGITS = 32
ID_LEAST_DIGITS = 8
"""Of an id that is searched for by its beginning; the first eight tell the minute."""

_COLUMNS = """order_id, status, settled, reason, customer_id, placed_at, last_event, last_at, events, waiting_for,
    waiting_kind, waiting_since, coalesce(waiting_since < now() - make_interval(secs => :stuck_s), false) AS stuck,
    extract(epoch FROM now() - waiting_since)::float AS waits_s"""
_LIST = f"SELECT {_COLUMNS} FROM orders WHERE {{where}} ORDER BY order_id DESC LIMIT :limit"  # noqa: S608 - ours
_ONE = text(f"SELECT {_COLUMNS} FROM orders WHERE order_id = :order_id")  # noqa: S608 - ours
_WHERE = {
    "status": "status = :status",
    STUCK: "waiting_since < now() - make_interval(secs => :stuck_s)",
    "customer": "customer_id = :customer",
    "before": "order_id < :before",
    "range": "(order_id BETWEEN :least AND :greatest OR customer_id = :customer)",
}
_COUNTS = text("SELECT status, count(*) FROM orders GROUP BY status")
_COUNT_STUCK = text("SELECT count(*) FROM orders WHERE waiting_since < now() - make_interval(secs => :stuck_s)")
_GROUPS = text(f"""
    SELECT waiting_for, waiting_kind, count(*) AS orders, min(waiting_since) AS since,
        extract(epoch FROM now() - min(waiting_since))::float AS oldest_s,
        (array_agg(order_id ORDER BY waiting_since))[1:{GROUP_MAX_ORDERS}] AS ids
    FROM orders WHERE waiting_since < now() - make_interval(secs => :stuck_s)
    GROUP BY waiting_for, waiting_kind ORDER BY min(waiting_since)
""")  # noqa: S608 - a number of ours
_RATES = text("""
    SELECT name, count(*) FROM events
    WHERE occurred_at > now() - make_interval(secs => :window_s) GROUP BY name
""")
_WAITING = text("""
    SELECT service, name, count(*) AS events, extract(epoch FROM now() - min(since))::float AS oldest_s
    FROM waits GROUP BY service, name
""")
_NEWEST = text("""
    SELECT event_id, order_id, service, name, occurred_at FROM events ORDER BY occurred_at DESC LIMIT :limit
""")
_WHOSE = text("SELECT order_id FROM events WHERE event_id = :event_id")


@dataclass(frozen=True, slots=True)
class Row:
    """An order as a list shows it."""

    order_id: UUID
    status: str
    settled: bool
    reason: str | None
    customer_id: str | None
    placed_at: datetime
    last_event: str
    last_at: datetime
    events: int
    waiting_for: str | None
    waiting_kind: str | None
    waiting_since: datetime | None
    stuck: bool
    waits_s: float | None

    @property
    def state(self) -> str:
        """What it is filtered by first."""
        return STUCK if self.stuck else self.status


@dataclass(frozen=True, slots=True)
class Group:
    """Orders that are stuck for the same reason; `ids` are those that have waited longest."""

    waiting_for: str
    waiting_kind: str
    orders: int
    since: datetime
    oldest_s: float
    ids: list[UUID]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many events a service has yet to react to, and for how long the oldest has waited."""

    events: int = 0
    oldest_s: float | None = None


class Picture:
    """Reads. Every method raises `WorldError` where the database is out of reach."""

    def __init__(self, engine: AsyncEngine, stuck_after_s: float, lag_s: Callable[[], float]) -> None:
        """`lag_s` says how far the picture is behind: nobody is late for what has not been read yet."""
        self._engine = engine
        self._stuck_after_s = stuck_after_s
        self._lag_s = lag_s
        self._lock = asyncio.Lock()
        self._counted_s = float("-inf")
        self._counts: dict[str, int] = {}
        self._waiting: dict[tuple[str, str], Waiting] = {}

    def bound_s(self, asked_s: float | None = None) -> float:
        """Say how long something may be awaited right now, where so long is asked for, or else as it is set."""
        return (self._stuck_after_s if asked_s is None else asked_s) + self._lag_s()

    async def orders(
        self, state: str | None = None, search: str = "", before: UUID | None = None, limit: int = PAGE_MAX_ORDERS
    ) -> list[Row]:
        """List orders, the newest first: of a state, and of a customer or with an id that begins so."""
        given: dict[str, Any] = {"stuck_s": self.bound_s(), "limit": limit}
        wheres = ["TRUE"]
        if state == STUCK:
            wheres.append(_WHERE[STUCK])
        elif state:
            wheres.append(_WHERE["status"])
            given["status"] = state
        if before:
            wheres.append(_WHERE["before"])
            given["before"] = before
        if search:
            given["customer"] = search
            if ids := id_range(search):  # a customer may be called like an id too
                wheres.append(_WHERE["range"])
                given["least"], given["greatest"] = ids
            else:
                wheres.append(_WHERE["customer"])
        rows = await self._rows(text(_LIST.format(where=" AND ".join(wheres))), given)
        return [Row(**row) for row in rows]

    async def order(self, order_id: UUID) -> Row | None:
        """Read one order's row."""
        rows = await self._rows(_ONE, {"order_id": order_id, "stuck_s": self.bound_s()})
        return next((Row(**row) for row in rows), None)

    async def whose(self, event_id: UUID) -> UUID | None:
        """Say which order an event is about."""
        rows = await self._rows(_WHOSE, {"event_id": event_id})
        return next((row["order_id"] for row in rows), None)

    async def counts(self) -> dict[str, int]:
        """Count orders by how they stand, as it was `FRESH_S` ago at the most: to count them all takes a while."""
        await self._count_anew()
        return self._counts

    async def waiting(self) -> dict[tuple[str, str], Waiting]:
        """Count what every service has yet to react to, by the service and the event's name; no fresher than these."""
        await self._count_anew()
        return self._waiting

    async def _count_anew(self) -> None:
        async with self._lock:
            if time.monotonic() - self._counted_s > FRESH_S:
                self._counts = await self._count()
                rows = await self._rows(_WAITING, {})
                self._waiting = {(row["service"], row["name"]): Waiting(row["events"], row["oldest_s"]) for row in rows}
                self._counted_s = time.monotonic()

    async def _count(self) -> dict[str, int]:
        found = dict.fromkeys(STATES, 0)
        found |= {row["status"]: row["count"] for row in await self._rows(_COUNTS, {})}
        stuck = await self._rows(_COUNT_STUCK, {"stuck_s": self.bound_s()})
        return {str(state): count for state, count in found.items()} | {STUCK: stuck[0]["count"]}

    async def stuck(self, bound_s: float | None = None) -> list[Group]:
        """Group what has waited longer than a bound by what it waits for, the longest wait first."""
        rows = await self._rows(_GROUPS, {"stuck_s": self.bound_s(bound_s)})
        return [Group(**row) for row in rows]

    async def rates(self) -> dict[str, int]:
        """Count the events of the last minute by name."""
        return {row["name"]: row["count"] for row in await self._rows(_RATES, {"window_s": RATE_WINDOW_S})}

    async def newest(self, limit: int) -> list[Mapping[str, Any]]:
        """List the newest events of all."""
        return await self._rows(_NEWEST, {"limit": limit})

    async def _rows(self, statement: TextClause, given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        with by_whose_fault():
            async with self._engine.connect() as connection:
                return [dict(row) for row in (await connection.execute(statement, given)).mappings()]


def id_range(search: str) -> tuple[UUID, UUID] | None:
    """Give the least and the greatest id that begin with what is searched for; None: that is no part of an id."""
    digits = search.replace("-", "").lower()
    if len(digits) > ID_DIGITS or len(digits) < ID_LEAST_DIGITS or set(digits) - set("0123456789abcdef"):
        return None
    return UUID(digits.ljust(ID_DIGITS, "0")), UUID(digits.ljust(ID_DIGITS, "f"))
