"""The ledger as the program sees it: one writer and one reader, each on a thread of its own."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import TypeVar

from infra.provider import entries
from infra.provider.entries import Total
from infra.provider.records import Account, Ask, ChargeOutcome, FaultChange, Line, Reason, Undone
from infra.provider.schema import open_for_reading, open_for_writing
from infra.provider.writer import GroupCommit

T = TypeVar("T")


class Ledger:
    """Every write is durable before it is answered; reads see all that has been answered.

    A write raises Overloaded when too many are waiting, Failed when the disk refuses it, Stopping at the end.
    """

    def __init__(self, writer: GroupCommit, connection: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self.writer = writer
        self._connection = connection
        self._thread = thread

    async def charge(self, ask: Ask, reason: Reason | None) -> ChargeOutcome:
        """Record a charge, declined when there is a `reason`, or say what the key stands for already."""
        return await self.writer.write(lambda connection: entries.charge(connection, ask, reason))

    async def undo(self, key: str) -> Undone:
        """Close the key for good, and give back what was captured."""
        return await self.writer.write(lambda connection: entries.undo(connection, key))

    async def record_faults(self, rates: str) -> None:
        """Write down to what an operator sets the fault rates, as JSON."""
        await self.writer.write(lambda connection: entries.record_faults(connection, rates))

    async def fault_changes(self, after: int, limit: int) -> list[FaultChange]:
        """Read at most `limit` changes of the fault rates past change `after`, in the order they were made."""
        return await self._read(lambda connection: entries.fault_changes(connection, after, limit))

    async def account(self, key: str) -> Account:
        """Read what is known of a key; an empty account when nothing is."""
        return await self._read(lambda connection: entries.account(connection, key))

    async def page(self, after: int, limit: int) -> list[Line]:
        """Read at most `limit` lines past line `after`, in the order they were written."""
        return await self._read(lambda connection: entries.page(connection, after, limit))

    async def totals(self) -> list[Total]:
        """Count and sum all lines; this reads the whole ledger."""
        return await self._read(entries.totals)

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, query, self._connection)


@asynccontextmanager
async def open_ledger(path: Path) -> AsyncIterator[Ledger]:
    """Open the ledger for as long as the block runs; raises RuntimeError where it cannot be kept."""
    with (
        closing(open_for_writing(path)) as written,
        closing(open_for_reading(path)) as read,
        ThreadPoolExecutor(1, "ledger-reader") as reader,
        ThreadPoolExecutor(1, "ledger-writer") as thread,
    ):
        async with GroupCommit(written, thread).running() as writer:
            yield Ledger(writer, read, reader)
