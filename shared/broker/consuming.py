"""Consuming that goes on: it is begun as often as that takes, looked after, and begun anew where it has ended.

aio-pika subscribes again to a queue that was deleted and declared again (`RobustChannel._restore_consumers`), and to
all of them on a new connection. That it does is its own claim, and others have seen it fail (its issue 231). So its
channels are asked: a consumer stands there once the broker has answered for it, and goes when the broker cancels it or
the channel ends. It is this process's own, which a count at the broker does not tell where there are replicas.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from aio_pika.exceptions import AMQPError, ChannelInvalidStateError
from faststream.rabbit import RabbitBroker
from loguru import logger

from shared.backoff import Backoff
from shared.broker.closing import within
from shared.broker.consumer import Consumers

START_BACKOFF = Backoff(first_s=0.2, most_s=3.0)
LOOK_INTERVAL_S = 5.0
"""How often this process looks whether it consumes what it should."""
LOOK_TIMEOUT_S = 4.0
CHANNEL_TIMEOUT_S = 0.5
"""A channel that is being made again is waited for no longer: nothing is consumed meanwhile."""
AWAY_TIMEOUT_S = 1.0
"""To disconnect from a broker that was not there."""
RESUME_TIMEOUT_S = 10.0
"""To subscribe or to disconnect: longer than a drain of what was begun."""

AWAY = (AMQPError, ChannelInvalidStateError, OSError, TimeoutError)
"""What a broker that is not there, or a queue that is not, comes to."""

Count = Callable[[Iterable[str]], Awaitable[Mapping[str, int]]]
"""Asks the broker how many consumers queues have; raises where it is out of reach, or a queue is missing."""


class Consuming:
    """Keeps the consumers of one process going until `stopping` is set."""

    def __init__(self, consumers: Consumers, count: Count, stopping: asyncio.Event) -> None:
        self._consumers = consumers
        self._count = count
        self._stopping = stopping

    async def run(self) -> None:
        """Begin to consume, and see to it that it goes on.

        A queue that is found idle may be one that aio-pika is about to consume again: it is given the time until the
        next look. Then that queue is subscribed to anew, and if that does not help, everything is.
        """
        await self._begin()
        looks_idle = 0
        while not await self._stops_within(LOOK_INTERVAL_S):
            idle = await self._idle_for_no_reason()
            looks_idle = looks_idle + 1 if idle else 0
            if looks_idle == 2:
                logger.error("not consumed, subscribed to anew: {}", ", ".join(sorted(idle)))
                await within(RESUME_TIMEOUT_S, partial(_resubscribe, self._consumers.broker, idle))
            elif looks_idle > 2:
                logger.error("still not consumed, connected anew: {}", ", ".join(sorted(idle)))
                await within(RESUME_TIMEOUT_S, self._consumers.stop)
                await self._begin()

    async def idle(self) -> frozenset[str]:
        """Name the queues that this process does not consume, or nobody does by the broker's own count.

        Raises:
            AMQPError, OSError, TimeoutError: the broker is out of reach, or a queue is missing.
        """
        counts = await self._count(self._consumers.queues)
        consumed = await _consumed(self._consumers.broker)
        return frozenset(queue for queue, count in counts.items() if not count or queue not in consumed)

    async def _begin(self) -> None:
        for delay_s in START_BACKOFF.delays_s():
            # gathered: a connection that misses its heartbeats meanwhile ends it in CancelledError
            (error,) = await asyncio.gather(self._consumers.start(), return_exceptions=True)
            if error is None:
                logger.info("consuming {}", ", ".join(lane.queue for lane in self._consumers.lanes))
                return
            if not isinstance(error, (*AWAY, asyncio.CancelledError)):
                raise error
            logger.warning("not consuming yet, again in {:.1f} s: {!r}", delay_s, error)
            await within(AWAY_TIMEOUT_S, self._consumers.stop)
            if await self._stops_within(delay_s):
                return

    async def _idle_for_no_reason(self) -> frozenset[str]:
        """Name the queues that are there, at a broker that answers, and are not consumed."""
        look = asyncio.wait_for(self.idle(), LOOK_TIMEOUT_S)
        (idle,) = await asyncio.gather(look, return_exceptions=True)  # gathered: see `_begin`
        return frozenset() if isinstance(idle, BaseException) else idle

    async def _stops_within(self, seconds: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self._stopping.is_set()


async def _consumed(broker: RabbitBroker) -> set[str]:
    """Name the queues that this process consumes."""
    subscribers: list[Any] = list(broker.subscribers)
    queues = [one._queue_obj for one in subscribers]  # noqa: SLF001 - FastStream shows it nowhere else
    consumed = await asyncio.gather(*map(is_consumed, queues))
    return {one.queue.name for one, is_ in zip(subscribers, consumed, strict=True) if is_}


async def is_consumed(queue: Any) -> bool:
    """Say whether this process consumes a queue, on a channel that serves nothing else; None is no queue yet."""
    if queue is None:
        return False
    try:
        async with asyncio.timeout(CHANNEL_TIMEOUT_S):
            channel = await queue.channel.get_underlay_channel()
    except AWAY:
        return False
    return not channel.is_closed and bool(channel.consumers)  # a channel of its own: any consumer is this one


async def _resubscribe(broker: RabbitBroker, queues: Collection[str]) -> None:
    """Subscribe anew to some queues, and leave the others alone."""
    subscribers: list[Any] = list(broker.subscribers)
    for subscriber in subscribers:
        if subscriber.queue.name in queues:
            await subscriber.stop()
            await subscriber.start()
