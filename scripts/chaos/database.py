"""The database as an experiment sees it: all schemas, read as the superuser. Nothing is ever written."""

from collections.abc import Iterator, Sequence
from typing import Any

import asyncpg

from infra.native.postgres import SUPERUSER
from infra.ports import HOST, POSTGRES, SERVICES
from infra.topology import TABLES
from shared.envelope import Logged
from shared.event import Event
from shared.store.postgres import logged_of

CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 30.0
AWAY = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What it raises while the server is away."""

MISSED = """
    SELECT e.occurred_at FROM {owner}_service.events AS e
    WHERE e.type = '{type}' AND NOT EXISTS (SELECT FROM {reader}_service.inbox AS i WHERE i.event_id = e.event_id)
"""
WHILE = "interval '1 second'"
"""Longer than an event is on its way where nothing is wrong."""
RECENT = """
    SELECT event_id, type, payload::text, correlation_id, causation_id, traceparent, occurred_at
    FROM {owner}_service.events WHERE type = ANY($1) ORDER BY transaction_id DESC, position DESC LIMIT $2
"""


class Database:
    """Asks over a connection of its own each time: the server may have been restarted since the last."""

    def __init__(self, password: str) -> None:
        self._password = password

    async def rows(self, query: str, *arguments: object) -> Sequence[Any]:
        """Ask.

        Raises:
            OSError, TimeoutError, PostgresError, InterfaceError: the server is away, or does not answer.
        """
        connection = await asyncpg.connect(
            host=HOST, port=POSTGRES, user=SUPERUSER, password=self._password, database="quartet",
            timeout=CONNECT_TIMEOUT_S, command_timeout=COMMAND_TIMEOUT_S,
        )  # fmt: skip
        try:
            rows: Sequence[Any] = await connection.fetch(query, *arguments)
            return rows
        finally:
            connection.terminate()

    async def value(self, query: str, *arguments: object) -> Any:
        """Ask for one value."""
        ((value,),) = await self.rows(query, *arguments)
        return value

    async def answers(self) -> bool:
        """Tell whether it answers at all."""
        try:
            await self.value("SELECT 1")
        except AWAY:
            return False
        return True

    async def unfinished(self) -> dict[str, int]:
        """Count what is under way, by what it is: rows of outboxes and intents, events not yet reacted to, open orders.

        An event counts until it is in the inbox of everybody who reacts to it: a message that was delivered and not
        acked lies in no queue. What is parked waits for a person, and is no longer under way.
        """
        rows = await self.rows(" UNION ALL ".join(_all_under_way()))
        return {row[0]: row[1] for row in rows if row[1]}

    async def letters(self) -> int:
        """Count the dead letters of all services."""
        counts = " + ".join(f"(SELECT count(*) FROM {service}_service.dead_letters)" for service in SERVICES)  # noqa: S608 - ours
        number: int = await self.value(f"SELECT {counts}")
        return number

    async def missed(self, reader: str, event: type[Event]) -> int:
        """Count the events of a type that did not reach `reader`: logged a while ago, and not in its inbox."""
        query = MISSED.format(owner=event.kind.owner, reader=reader, type=event.kind.type)
        number: int = await self.value(f"SELECT count(*) FROM ({query}) AS missed WHERE occurred_at < now() - {WHILE}")  # noqa: S608 - ours
        return number

    async def recent(self, owner: str, types: Sequence[str], count: int) -> list[Logged]:
        """Give the events of some types that a service has logged last."""
        rows = await self.rows(RECENT.format(owner=owner), list(types), count)
        return [logged_of(row, owner) for row in rows]


def _all_under_way() -> Iterator[str]:
    yield "SELECT 'open orders', count(*) FROM order_service.orders WHERE NOT settled"
    for service in SERVICES:
        yield f"SELECT '{service}.outbox', count(*) FROM {service}_service.outbox WHERE parked_at IS NULL"  # noqa: S608 - ours
        yield f"SELECT '{service}.intents', count(*) FROM {service}_service.intents WHERE parked_at IS NULL"  # noqa: S608 - ours
    for reactions in TABLES:
        for event in reactions.consumed:
            kind, reader = event.kind, reactions.service
            missed = MISSED.format(owner=kind.owner, reader=reader, type=kind.type)
            yield f"SELECT '{reader}.{kind.name}', count(*) FROM ({missed}) AS missed"  # noqa: S608 - ours
