"""Database errors by whose fault they are: what runs again, and what is set aside."""

import asyncio
from uuid import UUID

import asyncpg
import orjson
import pytest
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.ports import ConflictError, RefusedError, TooSlowError, WorldError
from shared.store.connection import by_whose_fault, rows_json


class DriverError(Exception):
    """An error as the driver raises it."""

    def __init__(self, sqlstate: str | None, text: str = "no") -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("23505", ConflictError),  # unique_violation
        ("23514", RefusedError),  # check_violation
        ("23502", RefusedError),  # not_null_violation
        ("22003", RefusedError),  # numeric_value_out_of_range
        ("22P05", RefusedError),  # untranslatable_character, such as \u0000
        ("40P01", WorldError),  # deadlock_detected
        ("40001", WorldError),  # serialization_failure
        ("57014", TooSlowError),  # query_canceled: the statement's timeout
        ("57P01", WorldError),  # admin_shutdown
        ("53300", WorldError),  # too_many_connections
        ("08006", WorldError),  # connection_failure
        ("42501", WorldError),  # insufficient_privilege: an operator's fault, not an event's
        (None, WorldError),
    ],
)
def test_by_sqlstate(sqlstate: str | None, kind: type[Exception]) -> None:
    """Data is the event's fault, a unique key somebody else's, everything else the world's."""
    with pytest.raises(kind) as raised, by_whose_fault():
        raise DBAPIError("INSERT", {}, DriverError(sqlstate))
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (asyncpg.UniqueViolationError("no"), ConflictError),
        (asyncpg.CheckViolationError("no"), RefusedError),
        (asyncpg.UntranslatableCharacterError("no"), RefusedError),
        (asyncpg.DeadlockDetectedError("no"), WorldError),
        (asyncpg.QueryCanceledError("no"), TooSlowError),
        (asyncpg.LockNotAvailableError("no"), WorldError),
        (asyncpg.AdminShutdownError("no"), WorldError),
        (asyncpg.ConnectionDoesNotExistError("no"), WorldError),
    ],
    ids=repr,
)
def test_the_drivers_own_errors(error: asyncpg.PostgresError, kind: type[Exception]) -> None:
    """It is the same whether the driver raised it to SQLAlchemy or to us."""
    with pytest.raises(kind) as raised, by_whose_fault():
        raise error
    assert type(raised.value) is kind


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.InterfaceError("cannot perform operation: another operation is in progress"),
        asyncpg.InternalClientError("cannot switch to state 11"),
        PoolTimeoutError("the pool is empty"),
        InterfaceError("SELECT", {}, DriverError(None, "connection is closed")),
        ConnectionRefusedError("refused"),
        TimeoutError(),
    ],
    ids=repr,
)
def test_the_way_to_the_database(error: Exception) -> None:
    """A database that cannot be reached is the world's fault."""
    with pytest.raises(WorldError) as raised, by_whose_fault():
        raise error
    assert type(raised.value) is WorldError


@pytest.mark.parametrize("error", [ValueError("a bug"), asyncio.CancelledError(), RefusedError("no")], ids=repr)
def test_what_is_no_database_error(error: BaseException) -> None:
    """Everything else goes through as it is."""
    with pytest.raises(type(error)), by_whose_fault():
        raise error


def test_rows_are_not_quoted() -> None:
    """PostgreSQL's later lines quote the row, which may be personal: only the first one is told."""
    quoting = DriverError("23514", 'violates check constraint "one"\nDETAIL:  Failing row contains (anna@example.com).')
    with pytest.raises(RefusedError) as raised, by_whose_fault():
        raise DBAPIError("INSERT", {"email": "anna@example.com"}, quoting)
    assert str(raised.value) == 'violates check constraint "one"'


def test_what_json_cannot_hold_is_refused() -> None:
    """A value that cannot be written is that event's fault."""
    assert orjson.loads(rows_json([{"id": UUID(int=1)}])) == [{"id": str(UUID(int=1))}]
    with pytest.raises(RefusedError, match="cannot be stored"):
        rows_json([{"value": object()}])
