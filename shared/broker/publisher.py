"""The publisher port over aio-pika: persistent, mandatory, confirmed, and never for longer than its timeout.

Whatever ends a publish other than an `Ack` means not confirmed; heartbeat loss ends it in `CancelledError`, which
is why each publish is awaited through `gather`.
"""

import asyncio
import itertools
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import aio_pika
from aio_pika.abc import AbstractRobustChannel
from aio_pika.exceptions import AMQPError
from pamqp.commands import Basic
from yarl import URL

from shared.envelope import CONTENT_TYPE
from shared.ports import Message, NotConfirmedError

PUBLISH_TIMEOUT_S = 4.0
"""Below half the outbox grace: a row that a sweeper may claim is no longer being published by its writer."""
IN_FLIGHT_MAX_MESSAGES = 200
CONNECT_TIMEOUT_S = 5.0
CLOSE_TIMEOUT_S = 1.0
RECONNECT_INTERVAL_S = 0.5
HEARTBEAT_S = 5


def robust_connection(broker_url: str, name: str) -> aio_pika.RobustConnection:
    """Make a connection with heartbeats that comes back by itself; `connect` opens it, and `close` has to end it."""
    url = URL(broker_url).update_query(reconnect_interval=RECONNECT_INTERVAL_S, heartbeat=HEARTBEAT_S, name=name)
    return aio_pika.RobustConnection(url)


async def open_connection(broker_url: str, name: str) -> aio_pika.RobustConnection:
    """Connect.

    Raises:
        AMQPError, OSError, TimeoutError: the broker is out of reach.
    """
    connection = robust_connection(broker_url, name)
    try:
        await connection.connect(timeout=CONNECT_TIMEOUT_S)
    except BaseException:
        await connection.close()  # or it tries for ever: aio-pika goes on when its attempt is cancelled
        raise
    return connection


class AmqpPublisher:
    """Publishes over one channel of its own connection, which it opens when it is first needed."""

    def __init__(self, broker_url: str, name: str) -> None:
        self._broker_url = broker_url
        self._name = name
        self._opening = asyncio.Lock()
        self._connection: aio_pika.RobustConnection | None = None
        self._channel: AbstractRobustChannel | None = None
        self._exchanges: dict[str, aio_pika.abc.AbstractExchange] = {}
        self._in_flight = asyncio.Semaphore(IN_FLIGHT_MAX_MESSAGES)
        self._published = itertools.count(1)

    async def publish(self, messages: Iterable[Message]) -> Sequence[NotConfirmedError | None]:
        """Publish all at once; for each, in order, None or why it is not confirmed."""
        answers = await asyncio.gather(*map(self._publish, messages), return_exceptions=True)
        return [_verdict(answer) for answer in answers]

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def consumer_counts(self, queues: Iterable[str]) -> dict[str, int]:
        """Ask the broker, in a round trip for each queue, how many consumers it has.

        Raises:
            AMQPError, OSError, TimeoutError: the broker is out of reach, or a queue is missing.
        """
        async with self._opening:
            connection = await self._connected()
        channel = await connection.channel()
        try:
            counts = {}
            for queue in queues:
                declared = await channel.declare_queue(queue, passive=True)
                counts[queue] = declared.declaration_result.consumer_count or 0
            return counts
        finally:
            with suppress(AMQPError, OSError, TimeoutError):  # a broker that is frozen does not say goodbye either
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await channel.close()

    def opened(self) -> aio_pika.RobustConnection | None:
        """Give the connection while it stands, for another channel on it."""
        connection = self._connection
        return connection if connection is not None and connection.connected.is_set() else None

    async def _connected(self) -> aio_pika.RobustConnection:
        if self._connection is None:
            self._connection = robust_connection(self._broker_url, self._name)  # known before it is open, to be closed
            try:
                await self._connection.connect(timeout=CONNECT_TIMEOUT_S)
            except BaseException:
                await self.close()
                raise
        return self._connection

    async def _publish(self, message: Message) -> Any:
        async with asyncio.timeout(PUBLISH_TIMEOUT_S), self._in_flight:
            exchange = await self._exchange(message.exchange)
            return await exchange.publish(
                aio_pika.Message(
                    message.body,
                    content_type=CONTENT_TYPE,
                    delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    # unique on the channel: a message that is returned is told from its neighbours by this id alone
                    message_id=f"{message.message_id}.{next(self._published)}",
                    headers=dict(message.headers),
                    expiration=None if message.expiration_ms is None else message.expiration_ms / 1000,
                ),
                routing_key=message.routing_key,
                mandatory=True,
            )

    async def _exchange(self, name: str) -> aio_pika.abc.AbstractExchange:
        if (known := self._exchanges.get(name)) is not None:
            return known
        async with self._opening:
            connection = await self._connected()
            if self._channel is None:
                # `on_return_raises` on every channel, or an unroutable publish looks like a confirmed one
                channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
                self._channel = channel
            if name not in self._exchanges and self._channel is not None:
                self._exchanges[name] = await self._channel.get_exchange(name, ensure=False)
        return self._exchanges[name]


def _verdict(answer: Any) -> NotConfirmedError | None:
    if isinstance(answer, Basic.Ack):
        return None
    if isinstance(answer, BaseException):
        _let_go(answer)
        return NotConfirmedError(f"{type(answer).__name__}: {answer}")
    return NotConfirmedError(f"the broker answered {answer!r}")


def _let_go(error: BaseException | None) -> None:
    """Forget where an error came from: aiormq's frame holds the future that holds the error, and with it the message.

    Nobody would let go of that circle before the garbage collector comes by, which is seldom: what is published again
    and again in vain, such as a big letter whose queue is gone, would fill the memory meanwhile.
    """
    while error is not None and error.__traceback__ is not None:
        error.__traceback__, error = None, error.__cause__ or error.__context__
