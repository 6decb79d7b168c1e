"""The store as the program sees it: a letter is kept once it is on the disk."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Self

from infra.mail import schema
from infra.mail.letter import Letter, Page

log = logging.getLogger(__name__)

BATCH_MAX_LETTERS = 100
WAITING_MAX_LETTERS = 1_000


class NotKept(Exception):  # noqa: N818  (it says what happened, the sender tries again)
    """The letter could not be kept: too many are waiting, the disk refused it, or the program stops."""


class Store:
    """Whatever waits is kept by one transaction; nothing waits to fill it."""

    def __init__(self, connection: sqlite3.Connection, thread: ThreadPoolExecutor, keep_max: int) -> None:
        self._connection = connection
        self._thread = thread
        self._keep_max = keep_max
        self._waiting: list[tuple[Letter, asyncio.Future[None]]] = []
        self._wake = asyncio.Event()
        self._stopping = False

    async def keep(self, letter: Letter) -> None:
        """Return once the letter is durable; raises NotKept."""
        if self._stopping or len(self._waiting) >= WAITING_MAX_LETTERS:
            raise NotKept
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((letter, kept))
        self._wake.set()
        await kept

    async def newest(self, *, to: str | None, message_id: str | None, before: int, limit: int) -> Page:
        """Read at most `limit` letters older than number `before`, newest first, fewer when they are long."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, schema.newest, self._connection, to, message_id, before, limit)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Keep letters for as long as the block runs; at its end, what waits is still kept."""
        drain = asyncio.create_task(self._drain())
        try:
            yield self
        finally:
            self._stopping = True
            self._wake.set()
            await drain

    async def _drain(self) -> None:
        while self._waiting or not self._stopping:
            await self._wake.wait()
            batch, self._waiting = self._waiting[:BATCH_MAX_LETTERS], self._waiting[BATCH_MAX_LETTERS:]
            if not self._waiting:
                self._wake.clear()
            if batch:
                await self._keep_all(batch)

    async def _keep_all(self, batch: list[tuple[Letter, "asyncio.Future[None]"]]) -> None:
        letters = [letter for letter, _ in batch]
        loop = asyncio.get_running_loop()
        error: NotKept | None = None
        try:
            await loop.run_in_executor(self._thread, schema.keep, self._connection, letters, self._keep_max)
        except Exception:  # the disk is full, say: none of these may be acknowledged
            log.exception("%d letters could not be kept", len(letters))
            error = NotKept()
        for _, kept in batch:
            if kept.done():  # the sender has hung up
                continue
            if error:
                kept.set_exception(error)
            else:
                kept.set_result(None)


@asynccontextmanager
async def open_store(directory: Path, keep_max: int) -> AsyncIterator[Store]:
    """Open the store for as long as the block runs; raises RuntimeError where it cannot be kept."""
    with closing(schema.open_store(directory)) as connection, ThreadPoolExecutor(1, "mail-store") as thread:
        async with Store(connection, thread, keep_max).running() as store:
            yield store
