"""The database of all four services: each process's own line to it, and a look at it from outside."""

from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import orjson

from infra.native.postgres import SUPERUSER
from shared.store.connection import connect
from tests.reality.elsewhere import Elsewhere
from tests.simulation.world import SERVICES

T = TypeVar("T")

CUT_TIMEOUT_MS = 10_000
"""So long the server may take to end a connection."""
PASSED_S, NOT_YET_S = -1.0, 3_600.0
"""What has come, and what has not for as long as any schedule takes."""


class Database:
    """Asks as the superuser, whom nobody of ours is; what services ask goes over their `lines`."""

    def __init__(self, elsewhere: Elsewhere, url_of: Callable[[str], str]) -> None:
        self._elsewhere = elsewhere
        self._looking = Lock()
        self._outside: asyncpg.Connection = self.ask(_outside(url_of(SUPERUSER)))
        self._tables = [row["name"] for row in self.rows(_TABLES)]
        self.lines = {service: Line(self, service, "one", url_of) for service in SERVICES}
        self.others = {service: Line(self, service, "another", url_of) for service in SERVICES}
        """Those of second replicas."""

    def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """Have something done on the loop that the connections belong to."""
        return self._elsewhere.ask(work)

    def rows(self, query: str, *arguments: object) -> Sequence[Any]:
        """Look from outside, and see what is committed."""
        with self._looking:
            rows: Sequence[Any] = self.ask(self._outside.fetch(query, *arguments))
        return rows

    def wipe(self) -> None:
        """Empty every table."""
        self.ask(self._outside.execute("; ".join(f"DELETE FROM {name}" for name in self._tables)))  # noqa: S608 - ours

    def stock(self, levels: Mapping[str, int]) -> None:
        """Put goods on shelves that have had one receipt."""
        for sku, many in levels.items():
            self.rows("INSERT INTO inventory_service.stock VALUES ($1, 1, 1, $2, $2, 0, 0)", sku, many)

    def kept_waiting(self, lines: Sequence["Line"]) -> Collection[int]:
        """Say which of some lines wait for a lock that another of them holds."""
        names = [line.name for line in lines]
        return {names.index(row["name"]) for row in self.rows(_KEPT_WAITING, names)}

    def close(self) -> None:
        """Disconnect everybody."""
        for line in (*self.lines.values(), *self.others.values()):
            line.close()
        self.ask(self._outside.close())


class Line:
    """What one process of a service reaches the database by, and what only the world can do to it."""

    def __init__(self, database: Database, service: str, replica: str, url_of: Callable[[str], str]) -> None:
        self.service = service
        self.name = f"quartet {service} {replica}"
        self.engine = connect(url_of(f"{service}_service"), self.name)
        self.gate: Callable[[], None] = no_gate
        """Passed before every question."""
        self._database = database

    def ask(self, work: Coroutine[Any, Any, T]) -> T:
        """Ask, once the gate lets the question through."""
        self.gate()
        return self._database.ask(work)

    def cut(self) -> None:
        """End every connection, and with it the transaction that is open on it."""
        self._database.rows(
            "SELECT pg_terminate_backend(pid, $2) FROM pg_stat_activity WHERE application_name = $1",
            *(self.name, CUT_TIMEOUT_MS),
        )

    def close(self) -> None:
        """Let the connections go."""
        self._database.ask(self.engine.dispose())

    def let_graces_pass(self, event_ids: Collection[UUID]) -> None:
        """Have the grace of these outbox rows be over, and that of no other."""
        self._database.rows(
            f"UPDATE {self.service}_service.outbox SET available_at = now() + make_interval(secs =>"  # noqa: S608 - ours
            " CASE WHEN event_id = ANY($1) THEN $2::float ELSE $3 END)",
            *(list(event_ids), PASSED_S, NOT_YET_S),
        )

    def let_leases_pass(self, intent_ids: Collection[UUID]) -> None:
        """Have these intents be due, whoever had leased them.

        So is what comes after them in their streams, and what others have leased: there time alone decides nothing.
        """
        statement = _LET_LEASES_PASS.format(intents=f"{self.service}_service.intents")
        self._database.rows(statement, list(intent_ids), PASSED_S, NOT_YET_S)


@contextmanager
def databases(url_of: Callable[[str], str]) -> Iterator[Database]:
    """Connect to a server; `url_of` gives the address for a role."""
    elsewhere = Elsewhere()
    try:
        database = Database(elsewhere, url_of)
        try:
            yield database
        finally:
            database.close()
    finally:
        elsewhere.close()


_TABLES = """
    SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
    WHERE schemaname LIKE '%\\_service' AND tablename <> 'alembic_version'
"""
_LET_LEASES_PASS = """
    UPDATE {intents} AS i
    SET due_at = now() + make_interval(secs => CASE
            WHEN intent_id = ANY($1) OR leased_until IS NOT NULL OR position > (
                SELECT min(position) FROM {intents} AS meant
                WHERE meant.intent_id = ANY($1) AND meant.stream_id = i.stream_id
            ) THEN $2::float ELSE $3 END),
        leased_until = CASE
            WHEN leased_until IS NULL THEN NULL
            WHEN intent_id = ANY($1) THEN now()
            ELSE now() + make_interval(secs => $3) END
"""
_KEPT_WAITING = """
    SELECT application_name AS name FROM pg_stat_activity AS waiting
    WHERE application_name = ANY($1) AND EXISTS (
        SELECT FROM pg_stat_activity AS other
        WHERE other.pid = ANY(pg_blocking_pids(waiting.pid)) AND other.application_name = ANY($1))
"""


def no_gate() -> None:
    """Let everybody through."""


def _from_jsonb(sent: bytes) -> Any:
    """Read what the server sends; its first byte is a version. In a row that is a value it sends nothing else."""
    return orjson.loads(sent[1:])


async def _outside(url: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(url)
    await connection.set_type_codec("jsonb", schema="pg_catalog", format="binary", encoder=bytes, decoder=_from_jsonb)
    return connection
