"""The stage of the receiver's tests: payment's, between a shell, a broker and a table in memory."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from shared.batch import Item, Result
from shared.letters import Letter
from shared.receiving import Receiver
from shared.retries import Retries
from shared.shell import Shell
from shared.topology import Lane
from shared.vocabulary.order import OrderCancelled
from tests.unit.shared.fakes import FakeClock, FakePublisher

LANE = Lane("payment", OrderCancelled)


class FakeShell:
    """Answers each item with the next of `results`, once it is open."""

    def __init__(self, *results: Result) -> None:
        self.results = list(results)
        self.works: list[tuple[Item, ...]] = []
        self.error: Exception | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def submit(self, *items: Item) -> tuple[Result, ...]:
        self.works.append(items)
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return tuple(self.results.pop(0) for _ in items)


class FakeKeeper:
    """Keeps letters in memory; raises its `errors` first, one each time."""

    def __init__(self) -> None:
        self.kept: list[Letter] = []
        self.errors: list[Exception] = []

    async def keep(self, letters: Sequence[Letter]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.kept += letters


class FakeMessage:
    """A message that keeps whether it was acked; its ack may fail."""

    def __init__(self, body: bytes, **headers: Any) -> None:
        self.body = body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.message_id = "m1"
        self.redelivered = False
        self.acked = False
        self.ack_error: Exception | None = None

    async def ack(self) -> None:
        if self.ack_error is not None:
            raise self.ack_error
        self.acked = True


class Stage:
    """The receiver of payment over a shell and a broker in memory."""

    def __init__(self, clock: FakeClock, *results: Result) -> None:
        self.shell = FakeShell(*results)
        self.publisher = FakePublisher()
        self.keeper = FakeKeeper()
        retries = Retries(self.publisher, clock, (1_000, 10_000))
        self.receiver = Receiver(cast("Shell", self.shell), retries, self.keeper, clock)

    async def handle(self, message: FakeMessage) -> None:
        await self.receiver.handle(LANE, message)

    async def drain(self, message: FakeMessage) -> None:
        await self.receiver.drain(message)
