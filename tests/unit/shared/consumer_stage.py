"""The stage of the consumers' tests: payment's, between a shell, a broker and a table in memory."""

import asyncio
from collections.abc import Sequence
from typing import Any, cast

from aio_pika import IncomingMessage

from services.payment.reactions import reactions
from shared.batch import Item, Result
from shared.broker.consumer import Consumers
from shared.letters import Letter
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
    """The consumers of payment over a shell and a broker in memory."""

    def __init__(self, clock: FakeClock, *results: Result) -> None:
        self.shell = FakeShell(*results)
        self.publisher = FakePublisher()
        self.keeper = FakeKeeper()
        self.consumers = Consumers(
            "amqp://nowhere",
            reactions,
            cast("Shell", self.shell),
            Retries(self.publisher, clock, (1_000, 10_000)),
            self.keeper,
            clock,
            prefetch_max_messages=10,
            drain_timeout_s=1,
        )

    async def handle(self, message: FakeMessage) -> None:
        await self.consumers._handle(LANE, cast("IncomingMessage", message))

    async def drain(self, message: FakeMessage) -> None:
        await self.consumers._drain(cast("IncomingMessage", message))
