"""Every statement on the ledger. Each runs inside the caller's transaction and writes one line at most."""

import secrets
import sqlite3
from datetime import UTC, datetime
from typing import TypedDict

from infra.provider.records import (
    Account,
    Ask,
    Charged,
    ChargeOutcome,
    FaultChange,
    KeyReused,
    Kind,
    Line,
    Reason,
    Refused,
    Undone,
)

ID_RANDOM_BYTES = 12


class Total(TypedDict):
    """How many lines there are of one kind and currency; `amount` is their sum in minor units."""

    kind: Kind
    currency: str | None
    count: int
    amount: int


def charge(connection: sqlite3.Connection, ask: Ask, reason: Reason | None) -> ChargeOutcome:
    """Record a charge, declined when there is a `reason`, or say what the key stands for already."""
    known = account(connection, ask.key)
    if known.undo:  # first of all: what was refunded must not read as captured
        return Refused(known.undo)
    if known.charge:
        return Charged(known.charge, created=False) if known.charge.answers(ask) else KeyReused()
    kind: Kind = "declined" if reason else "captured"
    line = _append(connection, ask.key, kind, _new_id("ch"), ask.amount, ask.currency, ask.token_hash, reason)
    return Charged(line, created=True)


def undo(connection: sqlite3.Connection, key: str) -> Undone:
    """Record that the key is closed: refunded in full if it was captured, voided otherwise."""
    known = account(connection, key)
    if known.undo:
        return Undone(known.undo, created=False)
    captured = known.charge if known.charge and known.charge.kind == "captured" else None
    if captured:
        line = _append(connection, key, "refunded", _new_id("un"), captured.amount, captured.currency)
    else:
        line = _append(connection, key, "voided", _new_id("un"), 0, None)
    return Undone(line, created=True)


def account(connection: sqlite3.Connection, key: str) -> Account:
    """Read all that is known of a key."""
    rows = connection.execute(
        "SELECT act, line, key, kind, id, amount, currency, token_hash, reason, at FROM lines WHERE key = ?",
        (key,),
    )
    return Account(**{act: Line(*columns) for act, *columns in rows})


def page(connection: sqlite3.Connection, after: int, limit: int) -> list[Line]:
    """Read at most `limit` lines past line `after`, in the order they were written."""
    rows = connection.execute(
        "SELECT line, key, kind, id, amount, currency, token_hash, reason, at FROM lines"
        " WHERE line > ? ORDER BY line LIMIT ?",
        (after, limit),
    )
    return [Line(*row) for row in rows]


def totals(connection: sqlite3.Connection) -> list[Total]:
    """Count and sum all lines by kind and currency."""
    rows = connection.execute(
        "SELECT kind, currency, count(*) AS count, sum(amount) AS amount FROM lines"
        " GROUP BY kind, currency ORDER BY kind, currency"
    )
    return [Total(kind=kind, currency=currency, count=count, amount=amount) for kind, currency, count, amount in rows]


def record_faults(connection: sqlite3.Connection, rates: str) -> None:
    """Write down to what an operator sets the fault rates, as JSON."""
    connection.execute("INSERT INTO fault_changes (rates, at) VALUES (?, ?)", (rates, _now()))


def fault_changes(connection: sqlite3.Connection, after: int, limit: int) -> list[FaultChange]:
    """Read at most `limit` changes of the fault rates past change `after`, in the order they were made."""
    rows = connection.execute(
        "SELECT change, rates, at FROM fault_changes WHERE change > ? ORDER BY change LIMIT ?", (after, limit)
    )
    return [FaultChange(*row) for row in rows]


def _append(
    connection: sqlite3.Connection,
    key: str,
    kind: Kind,
    line_id: str,
    amount: int,
    currency: str | None,
    token_hash: str | None = None,
    reason: Reason | None = None,
) -> Line:
    row = connection.execute(
        "INSERT INTO lines (key, kind, id, amount, currency, token_hash, reason, at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        " RETURNING line, key, kind, id, amount, currency, token_hash, reason, at",
        (key, kind, line_id, amount, currency, token_hash, reason, _now()),
    ).fetchone()
    return Line(*row)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _new_id(prefix: str) -> str:
    return f"{prefix}_{secrets.token_hex(ID_RANDOM_BYTES)}"
