"""The broker as an experiment sees it."""

from collections.abc import Collection
from typing import Any, Self

from aio_pika.exceptions import ChannelNotFoundEntity

from infra.credentials import Credentials
from scripts.chaos.broker import DECLARED, MISSING, Broker

GONE = "payment.dead"
FULL = "payment.stock.reserved"


class Found:
    """A queue that is there."""

    def __init__(self, message_count: int) -> None:
        self.declaration_result = self
        self.message_count = message_count


class FakeConnection:
    """A connection, and each of its channels: one queue is missing, and messages lie in another."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def __aenter__(self) -> Self:
        """Open."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close."""

    async def channel(self) -> Self:
        """Give a channel."""
        return self

    async def close(self) -> None:
        """Close the channel."""

    async def declare_queue(self, name: str, *, passive: bool, timeout: float) -> Found:  # noqa: ASYNC109 - aio-pika's
        """Find a queue."""
        assert passive
        self.asked.append(name)
        if name == GONE:
            raise ChannelNotFoundEntity("it is not there")
        return Found(7 if name == FULL else 0)


class Connected(Broker):
    """A broker at the other end of a fake connection."""

    def __init__(self, connection: FakeConnection) -> None:
        super().__init__(Credentials({}))
        self._fake = connection

    async def _connection(self, user: str) -> Any:
        return self._fake


def asked_of(connection: FakeConnection) -> Collection[str]:
    """Give the queues that were asked for, and forget them."""
    asked, connection.asked = connection.asked, []
    return asked


async def test_a_queue_that_is_missing_is_told_from_one_that_is_empty() -> None:
    """What is empty is left out."""
    broker = Connected(connection := FakeConnection())
    assert await broker.depths() == {GONE: MISSING, FULL: 7}
    assert sorted(asked_of(connection)) == sorted(queue.name for queue in DECLARED.queues)


async def test_whoever_asks_for_one_queue_waits_for_no_other() -> None:
    """By the time that all have answered, the topology's watch has declared it again."""
    broker = Connected(connection := FakeConnection())
    assert await broker.missing(GONE)
    assert not await broker.missing(FULL)
    assert asked_of(connection) == [GONE, FULL]
