"""The file that holds the messages, and every statement on it."""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from infra.mail.letter import Kept, Letter, Page

FILE = "mail.sqlite"
BUSY_WAIT_S = 5.0
PAGE_MAX_CHARS = 8_000_000

TABLE = """
CREATE TABLE IF NOT EXISTS letters (
    number INTEGER PRIMARY KEY,
    message_id TEXT UNIQUE,
    sender TEXT NOT NULL,
    recipients TEXT NOT NULL CHECK (json_valid(recipients)),
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    arrivals INTEGER NOT NULL CHECK (arrivals >= 1),
    received_at TEXT NOT NULL,
    last_received_at TEXT NOT NULL
) STRICT
"""

KEEP = """
INSERT INTO letters (message_id, sender, recipients, subject, body, arrivals, received_at, last_received_at)
VALUES (?, ?, ?, ?, ?, 1, ?, ?)
ON CONFLICT (message_id) DO UPDATE SET
    arrivals = arrivals + 1, last_received_at = excluded.last_received_at
"""

# Only the oldest ever goes, so the numbers have no gap and need not be counted.
FORGET = "DELETE FROM letters WHERE number <= (SELECT max(number) FROM letters) - ?"

LIST = """
SELECT number, message_id, sender, recipients, subject, body, arrivals, received_at, last_received_at
FROM letters
WHERE number < ?
  AND (? IS NULL OR message_id = ?)
  AND (? IS NULL OR EXISTS (SELECT 1 FROM json_each(recipients) WHERE lower(value) = lower(?)))
ORDER BY number DESC LIMIT ?
"""


def open_store(directory: Path) -> sqlite3.Connection:
    """Open the store, made if need be; a commit has reached the disk when it returns.

    Raises RuntimeError where the file system cannot hold a write-ahead log.
    """
    directory.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        directory / FILE,
        timeout=BUSY_WAIT_S,
        isolation_level=None,
        check_same_thread=False,  # opened by the loop's thread, used by the store's one thread alone
    )
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise RuntimeError(f"{directory}: the store needs a write-ahead log, its file system offers {mode!r}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(TABLE)
    return connection


def keep(connection: sqlite3.Connection, letters: Sequence[Letter], keep_max: int) -> None:
    """Keep all letters in one transaction; a Message-ID that is known is counted, its first copy stays."""
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    rows = [(one.message_id, one.sender, json.dumps(one.recipients), one.subject, one.body, at, at) for one in letters]
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.executemany(KEEP, rows)
        connection.execute(FORGET, (keep_max,))
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def newest(connection: sqlite3.Connection, to: str | None, message_id: str | None, before: int, limit: int) -> Page:
    """Read letters older than number `before`, newest first: `limit` of them, or PAGE_MAX_CHARS of text."""
    letters: list[Kept] = []
    chars = 0
    with closing(connection.execute(LIST, (before, message_id, message_id, to, to, limit + 1))) as rows:
        for row in rows:
            kept = _kept(*row)
            chars += len(kept.letter.subject) + len(kept.letter.body)
            if letters and (len(letters) == limit or chars > PAGE_MAX_CHARS):
                return Page(letters, more=True)
            letters.append(kept)
    return Page(letters, more=False)


def _kept(
    number: int,
    message_id: str | None,
    sender: str,
    recipients: str,
    subject: str,
    body: str,
    arrivals: int,
    received_at: str,
    last_received_at: str,
) -> Kept:
    letter = Letter(message_id, sender, tuple(json.loads(recipients)), subject, body)
    return Kept(number, letter, arrivals, received_at, last_received_at)
