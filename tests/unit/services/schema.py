"""The CHECK constraints of a service's tables, as its migration states them, held against rows without a server.

SQLite understands them all, once the regular expressions and the JSON functions of PostgreSQL are lent to it.
"""

import re
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

SERVICES = Path(__file__).parents[3] / "services"


class Schema:
    """The tables of one service, in memory."""

    def __init__(self, service: str) -> None:
        sql = (SERVICES / service / "migrations" / "versions" / "0001_first.sql").read_text()
        self._connection = sqlite3.connect(":memory:")
        self._lend("regexp", lambda pattern, value: re.search(pattern, value) is not None)
        self._lend("jsonb_typeof", lambda value: "array" if isinstance(orjson.loads(value), list) else "other")
        self._lend("jsonb_array_length", lambda value: len(orjson.loads(value)))
        for table in re.findall(r"CREATE TABLE .*?\n\);", sql, re.DOTALL):
            self._connection.execute(table.replace(" ~ ", " REGEXP "))

    def refuses(self, table: str, row: Mapping[str, Any]) -> str | None:
        """Say which constraint refuses a row; None if the row may stand."""
        plain = orjson.loads(orjson.dumps(row))
        values = [orjson.dumps(v).decode() if isinstance(v, list) else v for v in plain.values()]
        statement = f"INSERT INTO {table} ({', '.join(plain)}) VALUES ({', '.join('?' * len(plain))})"  # noqa: S608 - our own names
        try:
            self._connection.execute(statement, values)
        except sqlite3.IntegrityError as refused:
            return str(refused)
        self._connection.rollback()
        return None

    def _lend(self, name: str, function: Any) -> None:
        arguments = function.__code__.co_argcount
        self._connection.create_function(
            name, arguments, lambda *v: None if None in v else function(*v), deterministic=True
        )
