"""A database that answers from memory what a service only reads."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, cast

from sqlalchemy.ext.asyncio import AsyncEngine

Rows: TypeAlias = Sequence[Mapping[str, Any]]


class FakeEngine:
    """Gives for each query what `answer` makes of its parameters, and keeps the parameters; fails first, if told to."""

    def __init__(self, answer: Callable[[Mapping[str, Any]], Rows]) -> None:
        self.answer = answer
        self.asked: list[Mapping[str, Any]] = []
        self.failures: list[Exception] = []

    @property
    def real(self) -> AsyncEngine:
        """Itself, as what it stands for."""
        return cast("AsyncEngine", self)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["FakeEngine"]:
        if self.failures:
            raise self.failures.pop(0)
        yield self

    async def execute(self, _: object, parameters: Mapping[str, Any] | None = None) -> "FakeResult":
        self.asked.append(parameters or {})
        return FakeResult(self.answer(parameters or {}))


class FakeResult:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def mappings(self) -> Rows:
        return self._rows
