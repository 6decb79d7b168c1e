"""The broker's part of the floor: a confirmed publish to a quorum queue, and its delivery."""

import asyncio
import time
from statistics import median
from typing import Self

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from benchmarks.dance.servers import Servers
from infra.rabbitmq.users import TOPOLOGY
from shared.broker.publisher import open_connection
from shared.ids import new_id

QUEUE = "floor"
ALONE = 200
ORDERS_PER_MESSAGE = 4
IN_FLIGHT = 100
EVENT_BYTES = 500
PACK_BYTES = 20 * EVENT_BYTES
HOP_TIMEOUT_S = 30.0


class Hops:
    """An async context with a queue of its own."""

    def __init__(self, servers: Servers) -> None:
        self._url = servers.rabbitmq.url(TOPOLOGY)
        self._delivered = asyncio.Queue[float]()

    async def __aenter__(self) -> Self:
        """Connect, and consume."""
        self._connection = await open_connection(self._url, "floor")
        self._channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        await self._channel.set_qos(prefetch_count=IN_FLIGHT)
        self._queue = await self._channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        await self._queue.consume(self._take)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing at the broker."""
        await self._queue.delete(if_empty=False, if_unused=False)
        await self._connection.close()

    async def alone_ms(self) -> float:
        """Give the median time from a publish to its delivery, nothing else being on its way."""
        times_ms = []
        for _ in range(ALONE):
            began_s = time.perf_counter()
            await self._publish(EVENT_BYTES)
            delivered_s = await asyncio.wait_for(self._delivered.get(), HOP_TIMEOUT_S)
            times_ms.append((delivered_s - began_s) * 1000)
        return median(times_ms)

    async def together_per_s(self, orders: int) -> float:
        """Give how many messages of the size of a pack are confirmed and delivered each second."""
        messages = max(orders // ORDERS_PER_MESSAGE, 1)
        places = asyncio.Semaphore(IN_FLIGHT)

        async def publish() -> None:
            async with places:
                await self._publish(PACK_BYTES)

        began_s = time.perf_counter()
        async with asyncio.timeout(HOP_TIMEOUT_S):
            await asyncio.gather(*(publish() for _ in range(messages)))
            for _ in range(messages):
                await self._delivered.get()
        return messages / (time.perf_counter() - began_s)

    async def _publish(self, size_bytes: int) -> None:
        message = aio_pika.Message(
            b"x" * size_bytes, delivery_mode=aio_pika.DeliveryMode.PERSISTENT, message_id=str(new_id())
        )
        await self._channel.default_exchange.publish(message, routing_key=QUEUE, mandatory=True)

    async def _take(self, message: AbstractIncomingMessage) -> None:
        self._delivered.put_nowait(time.perf_counter())
        await message.ack()
