"""Publishing what may be lost: transient, and to whoever has a queue for it."""

import asyncio
from collections.abc import Awaitable, Callable

import aio_pika
from aio_pika.abc import AbstractExchange

from shared.ports import WorldError

ANNOUNCE_TIMEOUT_S = 1.0
"""A broker that is slower than that is told the next time."""


class AmqpAnnouncer:
    """Publishes empty messages to one exchange, over a channel of its own on a connection that is there anyway."""

    def __init__(self, exchange: str, connected: Callable[[], Awaitable[aio_pika.RobustConnection]]) -> None:
        self._name = exchange
        self._connected = connected
        self._opened: AbstractExchange | None = None

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
            if self._opened is None:
                channel = await (await self._connected()).channel()
                self._opened = await channel.get_exchange(self._name, ensure=False)
            message = aio_pika.Message(b"", delivery_mode=aio_pika.DeliveryMode.NOT_PERSISTENT)
            await self._opened.publish(message, routing_key="", mandatory=False)
