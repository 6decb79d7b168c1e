"""The way to PostgreSQL: an engine with bounded waits, and database errors by whose fault they are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import asyncpg
import orjson
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.ids import plain_id
from shared.ports import ConflictError, RefusedError, TooSlowError, WorldError

CONNECT_TIMEOUT_S = 5.0
COMMAND_TIMEOUT_S = 11.0
"""Longer than the role's own statement_timeout: this one is for a server that does not answer at all."""
POOL_MAX_CONNECTIONS = 8
POOL_TIMEOUT_S = 2.0

PLANS = {"enable_seqscan": "off", "enable_nestloop": "off"}
"""Every statement of a service goes by key. Left alone the planner takes a table for as small as when it was analyzed
last, perhaps empty, scans it whole for every row of a batch, and a prepared statement keeps that plan."""

FIRST_UNFIXED_OID = 10_000
"""Types with smaller numbers are the same on every server. Source: PostgreSQL's `access/transam.h`."""

UNIQUE_VIOLATION = "23505"
QUERY_CANCELED = "57014"
DATA_REFUSED = ("22", "23")
"""SQLSTATE classes: data exception, integrity constraint violation."""


class Connection(asyncpg.Connection):  # type: ignore[misc] # asyncpg tells no types
    """Asks what types that are the same everywhere are made of once in a process.

    asyncpg asks anew on each connection, of a `uuid[]` as of all but the plainest: 10 ms of the server's time.
    """

    _told: ClassVar[dict[frozenset[int], Any]] = {}

    async def _introspect_types(self, typeoids: Iterable[int], timeout: float | None) -> Any:  # noqa: ASYNC109 - asyncpg's
        asked = frozenset(typeoids)
        if max(asked) >= FIRST_UNFIXED_OID:
            return await super()._introspect_types(asked, timeout)
        if asked not in self._told:
            self._told[asked] = await super()._introspect_types(asked, timeout)
        return self._told[asked]


def connect(database_url: str, application_name: str) -> AsyncEngine:
    """Make an engine for a `postgresql://` URL; nothing is connected yet."""
    return create_async_engine(
        make_url(database_url).set(drivername="postgresql+asyncpg"),
        pool_size=POOL_MAX_CONNECTIONS,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        json_serializer=lambda value: orjson.dumps(value).decode(),
        json_deserializer=orjson.loads,
        pool_pre_ping=False,  # the shell runs a batch again on a lost connection; a ping would cost a round trip each
        connect_args={
            "connection_class": Connection,
            "timeout": CONNECT_TIMEOUT_S,
            "command_timeout": COMMAND_TIMEOUT_S,
            "server_settings": {"application_name": application_name, "jit": "off", **PLANS},
        },
    )


@contextmanager
def by_whose_fault() -> Iterator[None]:
    """Turn a database's errors into the three that the kit knows.

    Raises:
        ConflictError: a unique key was taken.
        RefusedError: a value or a row that the schema refuses.
        TooSlowError: the server cancelled a statement, as a rule for its timeout.
        WorldError: everything else that can happen to a database.
    """
    try:
        yield
    except DBAPIError as error:
        raise _fault(error.orig) from error
    except asyncpg.PostgresError as error:
        raise _fault(error) from error
    except (SQLAlchemyError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError) as error:
        raise WorldError(f"{type(error).__name__}: {error}") from error


def _fault(error: object) -> WorldError | RefusedError:
    sqlstate = getattr(error, "sqlstate", None) or ""
    text = (str(error).splitlines() or [""])[0]  # the first line names the constraint, later ones quote the row
    if sqlstate == UNIQUE_VIOLATION:
        return ConflictError(text)
    if sqlstate == QUERY_CANCELED:
        return TooSlowError(text)
    if not sqlstate.startswith(DATA_REFUSED):
        return WorldError(text)
    return RefusedError(text, type(error).__name__)


def rows_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows as the JSON array that a set-based statement takes.

    Raises:
        RefusedError: a value that JSON cannot hold.
    """
    try:
        return orjson.dumps(rows, default=plain_id).decode()
    except TypeError as error:
        raise RefusedError(f"cannot be stored: {error}") from error
