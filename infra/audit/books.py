"""The payment provider's ledger, read page by page into a temporary file where each key is found: it may be long."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import httpx

from infra.audit.facts import Line

PAGE_MAX_LINES = 1_000
HTTP_TIMEOUT_S = 10.0

TABLE = (
    "CREATE TABLE lines"
    " (line INTEGER PRIMARY KEY, key TEXT, kind TEXT, id TEXT, amount INTEGER, currency TEXT, seen INTEGER)"
)
FIND = "SELECT key, kind, id, amount, currency FROM lines WHERE key IN (SELECT value FROM json_each(?)) ORDER BY line"
TICK = "UPDATE lines SET seen = 1 WHERE key IN (SELECT value FROM json_each(?))"


class Ledger:
    """A copy of the provider's ledger past line `after`. All methods that ask raise `httpx.HTTPError`."""

    def __init__(self, http: httpx.AsyncClient, copy: sqlite3.Connection, after: int) -> None:
        self._http = http
        self._copy = copy
        self._after = after

    async def skip_to(self, moment: datetime) -> None:
        """Leave out what was written before a moment."""
        self._after = max(self._after, await self._last_before(moment))

    async def keys_since(self, moment: datetime) -> set[str]:
        """Give the keys of what was written since a moment; nothing of it is copied."""
        keys: set[str] = set()
        following: int | None = await self._last_before(moment)
        while following is not None:
            page = await self._page(following, PAGE_MAX_LINES)
            keys.update(line["key"] for line in page["lines"])
            following = page["next"]
        return keys

    async def _last_before(self, moment: datetime) -> int:
        """Find the last line before a moment. The lines are in the order of time, so it is bisected."""
        low, step = self._after, 1
        while await self._is_before(low + step, moment):
            low, step = low + step, 2 * step
        high = low + step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if await self._is_before(middle, moment) else (low, middle)
        return low

    async def _is_before(self, line: int, moment: datetime) -> bool:
        lines = (await self._page(line - 1, 1))["lines"]
        return bool(lines) and datetime.fromisoformat(lines[0]["at"]) < moment

    async def catch_up(self) -> None:
        """Copy what was written since."""
        following: int | None = self._after
        while following is not None:
            page = await self._page(following, PAGE_MAX_LINES)
            self._copy.executemany(
                "INSERT INTO lines VALUES (:line, :key, :kind, :id, :amount, :currency, 0)", page["lines"]
            )
            self._after = page["lines"][-1]["line"] if page["lines"] else self._after
            following = page["next"]

    async def _page(self, after: int, limit: int) -> dict[str, Any]:
        answer = await self._http.get("/v1/ledger", params={"after": after, "limit": limit})
        answer.raise_for_status()
        page: dict[str, Any] = answer.json()
        return page

    def of(self, keys: Collection[str]) -> dict[str, tuple[Line, ...]]:
        """Give the lines of some keys, which are seen then."""
        found: dict[str, list[Line]] = defaultdict(list)
        asked = (json.dumps(list(keys)),)
        for key, *line in self._copy.execute(FIND, asked):
            found[key].append(Line(*line))
        self._copy.execute(TICK, asked)
        return {key: tuple(lines) for key, lines in found.items()}

    def unseen(self, limit: int) -> Iterator[str]:
        """Give keys that nobody asked for."""
        for (key,) in self._copy.execute("SELECT DISTINCT key FROM lines WHERE NOT seen LIMIT ?", (limit,)):
            yield key


@contextmanager
def ledger_copy(http: httpx.AsyncClient, after: int = 0) -> Iterator[Ledger]:
    """Make room for a copy, which is gone at the end of the block."""
    with closing(sqlite3.connect("", isolation_level=None)) as copy:
        copy.execute(TABLE)
        copy.execute("CREATE INDEX lines_key ON lines (key)")
        yield Ledger(http, copy, after)
