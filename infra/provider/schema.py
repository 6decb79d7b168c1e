"""The ledger's table, and that of what was made of its faults. What must never be true cannot be stored in them."""

import sqlite3
from pathlib import Path

SCHEMA_VERSION = 1
BUSY_WAIT_S = 5.0

TABLE = """
CREATE TABLE IF NOT EXISTS lines (
    line INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('captured', 'declined', 'refunded', 'voided')),
    act TEXT NOT NULL GENERATED ALWAYS AS (iif(kind IN ('captured', 'declined'), 'charge', 'undo')) STORED,
    id TEXT NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT,
    token_hash TEXT,
    reason TEXT,
    at TEXT NOT NULL,
    CONSTRAINT one_charge_and_one_undo_per_key UNIQUE (key, act),
    CONSTRAINT a_void_moves_nothing CHECK (
        iif(kind = 'voided', amount = 0 AND currency IS NULL, amount > 0 AND currency IS NOT NULL)),
    CONSTRAINT a_charge_has_a_token CHECK ((act = 'charge') = (token_hash IS NOT NULL)),
    CONSTRAINT a_decline_has_a_reason CHECK ((kind = 'declined') = (reason IS NOT NULL))
) STRICT
"""

FAULT_CHANGES = """
CREATE TABLE IF NOT EXISTS fault_changes (
    change INTEGER PRIMARY KEY,
    rates TEXT NOT NULL CHECK (json_valid(rates)),
    at TEXT NOT NULL
) STRICT
"""

TRIGGERS = (
    """
    CREATE TRIGGER IF NOT EXISTS no_charge_after_undo BEFORE INSERT ON lines
    WHEN NEW.kind IN ('captured', 'declined')
     AND EXISTS (SELECT 1 FROM lines WHERE key = NEW.key AND act = 'undo')
    BEGIN SELECT RAISE(ABORT, 'the key is closed'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS a_refund_returns_its_capture BEFORE INSERT ON lines
    WHEN NEW.kind = 'refunded'
     AND NOT EXISTS (SELECT 1 FROM lines WHERE key = NEW.key AND kind = 'captured'
                     AND amount = NEW.amount AND currency = NEW.currency)
    BEGIN SELECT RAISE(ABORT, 'nothing like this was captured'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS a_capture_is_never_voided BEFORE INSERT ON lines
    WHEN NEW.kind = 'voided' AND EXISTS (SELECT 1 FROM lines WHERE key = NEW.key AND kind = 'captured')
    BEGIN SELECT RAISE(ABORT, 'what was captured is refunded'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS a_line_never_changes BEFORE UPDATE ON lines
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS a_line_never_goes BEFORE DELETE ON lines
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS a_fault_change_stays_as_it_was BEFORE UPDATE ON fault_changes
    BEGIN SELECT RAISE(ABORT, 'what was set is append-only'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS a_fault_change_never_goes BEFORE DELETE ON fault_changes
    BEGIN SELECT RAISE(ABORT, 'what was set is append-only'); END
    """,
)


def open_for_writing(path: Path) -> sqlite3.Connection:
    """Open the ledger, made if need be; a commit has reached the disk when it returns.

    Raises RuntimeError where the file is of another version or its file system cannot hold a WAL.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = _connect(str(path))
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise RuntimeError(f"{path}: the ledger needs a write-ahead log, its file system offers {mode!r}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA recursive_triggers = ON")  # a REPLACE must meet the trigger against deletes too
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version not in (0, SCHEMA_VERSION):
        raise RuntimeError(f"{path}: a ledger of version {version}, this program writes {SCHEMA_VERSION}")
    connection.execute("BEGIN IMMEDIATE")
    for statement in (TABLE, FAULT_CHANGES, *TRIGGERS, f"PRAGMA user_version = {SCHEMA_VERSION}"):
        connection.execute(statement)
    connection.execute("COMMIT")
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a second view of the ledger, which sees what is committed and can change nothing."""
    connection = _connect(f"{path.absolute().as_uri()}?mode=ro")
    connection.execute("PRAGMA query_only = ON")
    return connection


def _connect(name: str) -> sqlite3.Connection:
    # Each connection is used by one thread of its own, but is opened and closed by the loop's.
    return sqlite3.connect(
        name, timeout=BUSY_WAIT_S, isolation_level=None, check_same_thread=False, uri=name.startswith("file:")
    )
