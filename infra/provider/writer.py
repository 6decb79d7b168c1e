"""One writer, many who wait: everything that waits becomes one transaction, and nothing waits to fill it."""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, Self, TypeVar

from infra.provider.problems import Failed, Overloaded, Stopping

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], Any]

log = logging.getLogger(__name__)

BATCH_MAX_WORKS = 500
WAITING_MAX_WORKS = 10_000


class GroupCommit:
    """Runs each work inside a transaction and answers it after the commit.

    A work makes at most one change: SQLite takes a refused statement back by itself, so a work that breaks
    a constraint fails alone, and its neighbours commit.
    """

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self.commits = 0
        self._connection = connection
        self._thread = thread
        self._waiting: deque[tuple[Work, asyncio.Future[Any]]] = deque()
        self._wake = asyncio.Event()
        self._stopping = False

    async def write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return what the work returned, once that is durable.

        Raises Overloaded when WAITING_MAX_WORKS are ahead, Failed when it could not be committed, Stopping
        after the end.
        """
        if self._stopping:
            raise Stopping
        if len(self._waiting) >= WAITING_MAX_WORKS:
            raise Overloaded
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, answer))
        self._wake.set()
        return await answer

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Write for as long as the block runs; at its end, what waits is still written."""
        drain = asyncio.create_task(self._drain())
        try:
            yield self
        finally:
            self._stopping = True
            self._wake.set()
            await drain

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting or not self._stopping:
            await self._wake.wait()
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), BATCH_MAX_WORKS))]
            if not self._waiting:
                self._wake.clear()
            if batch:
                works = [work for work, _ in batch]
                results = await loop.run_in_executor(self._thread, self._commit, works)
                _answer([answer for _, answer in batch], results)

    def _commit(self, works: Sequence[Work]) -> list[Any]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            results = [self._alone(work) for work in works]
            self._connection.execute("COMMIT")
        except Exception as error:  # the disk is full, say: nothing of this batch may be answered
            log.exception("%d writes could not be committed", len(works))
            with suppress(sqlite3.Error):  # tried again at the next batch, whose BEGIN fails until it succeeds
                self._connection.rollback()
            return [error] * len(works)
        self.commits += 1
        return results

    def _alone(self, work: Work) -> Any:
        try:
            return work(self._connection)
        except sqlite3.IntegrityError as refused:
            return refused


def _answer(answers: Sequence["asyncio.Future[Any]"], results: Sequence[Any]) -> None:
    for answer, result in zip(answers, results, strict=True):
        if answer.done():  # whoever asked has gone
            continue
        if isinstance(result, Exception):
            answer.set_exception(Failed(str(result)))
        else:
            answer.set_result(result)
