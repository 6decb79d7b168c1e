"""Publishing what may be lost: transient, and to whoever has a queue for it."""

import asyncio
from collections.abc import Callable

import aio_pika
from aio_pika.abc import AbstractExchange

from shared.ports import WorldError

ANNOUNCE_TIMEOUT_S = 1.0
"""A broker that is slower than that is told again later."""


class AmqpAnnouncer:
    """Publishes empty messages to one exchange, over a channel of its own on a connection that somebody else opens."""

    def __init__(self, exchange: str, opened: Callable[[], aio_pika.RobustConnection | None]) -> None:
        self._name = exchange
        self._opened = opened
        self._exchange: AbstractExchange | None = None

    async def announce(self) -> None:
        """Publish one.

        Raises:
            WorldError: the broker is out of reach, or does not have or give the exchange.
        """
        # gathered: a connection that misses its heartbeats ends whoever waits for it in CancelledError
        (error,) = await asyncio.gather(self._publish(), return_exceptions=True)
        if error is not None:
            raise WorldError(f"{type(error).__name__}: {error}") from error

    async def _publish(self) -> None:
        async with asyncio.timeout(ANNOUNCE_TIMEOUT_S):
            if self._exchange is None:
                self._exchange = await self._open()
            message = aio_pika.Message(b"", delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT)
            await self._exchange.publish(message, routing_key="", mandatory=False)

    async def _open(self) -> AbstractExchange:
        if (connection := self._opened()) is None:
            raise ConnectionError("not connected yet")
        channel = connection.channel(publisher_confirms=True)  # or nobody would hear that the exchange is gone
        try:
            await channel.initialize()
        except BaseException:
            await channel.close()  # or it is opened with every new connection, and used by nobody
            raise
        return await channel.get_exchange(self._name, ensure=False)
