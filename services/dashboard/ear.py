"""Hears which services have logged something. What that was is read from their feeds: with a news nothing is lost."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from aio_pika import RobustConnection
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from loguru import logger

from shared.backoff import Backoff
from shared.broker.closing import within
from shared.broker.consuming import is_consumed
from shared.broker.publisher import open_connection
from shared.topology import news_exchange, news_queue

AGAIN = Backoff(first_s=0.5, most_s=5.0)
LISTEN_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 1.0
LOOK_INTERVAL_S = 5.0
"""How often it looks whether it still hears: aio-pika comes back by itself, and that it does is its own claim."""
DEAF_LOOKS_MAX = 2
"""After so many in a row it begins anew."""


class Ear:
    """Listens on the dashboard's queue, which the broker keeps short: of news that nobody takes the oldest go."""

    def __init__(self, broker_url: str | None, services: Iterable[str]) -> None:
        self._broker_url = broker_url
        self._news = {news_exchange(service): asyncio.Event() for service in services}
        self._connection: RobustConnection | None = None
        self._queue: AbstractQueue | None = None
        self._is_consuming = False

    @property
    def hears(self) -> bool:
        """Say whether it would hear news; deaf, it leaves looking to whoever waits."""
        return self._is_consuming and self._connection is not None and self._connection.connected.is_set()

    async def news_of(self, service: str, within_s: float) -> bool:
        """Wait for news of a service for at most so long; say whether there are any since they were last asked for."""
        news = self._news[news_exchange(service)]
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await news.wait()
        heard = news.is_set()
        news.clear()
        return heard

    async def run(self) -> None:
        """Listen until cancelled, as often as that takes. Nobody is ended by what goes wrong here."""
        failures = 0
        try:
            while self._broker_url is not None:
                if error := await self._listening_failed(self._broker_url):
                    failures += 1
                    level = "WARNING" if failures == 1 else "DEBUG"
                    logger.log(level, "no news are heard, and the feeds are read all the same: {!r}", error)
                else:
                    failures = 0
                    await self._until_deaf()
                await self._hang_up()
                await asyncio.sleep(AGAIN.delay_s(max(failures, 1)))
        finally:
            await self._hang_up()

    async def _listening_failed(self, broker_url: str) -> BaseException | None:
        # gathered: a connection that misses its heartbeats ends whoever waits for it in CancelledError
        (error,) = await asyncio.gather(self._listen(broker_url), return_exceptions=True)
        return error

    async def _listen(self, broker_url: str) -> None:
        async with asyncio.timeout(LISTEN_TIMEOUT_S):
            self._connection = await open_connection(broker_url, "quartet dashboard")
            channel = await self._connection.channel()
            # asked for, and not only named: who consumes a queue that was only named is not there after a reconnect
            self._queue = await channel.declare_queue(news_queue("dashboard"), passive=True)
            await self._queue.consume(self._hear, no_ack=True)
            self._is_consuming = True

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        if (news := self._news.get(message.exchange or "")) is not None:
            news.set()

    async def _until_deaf(self) -> None:
        deaf_looks = 0
        while deaf_looks < DEAF_LOOKS_MAX:
            await asyncio.sleep(LOOK_INTERVAL_S)
            self._is_consuming = await is_consumed(self._queue)
            deaf_looks = 0 if self._is_consuming else deaf_looks + 1

    async def _hang_up(self) -> None:
        connection, self._connection, self._queue, self._is_consuming = self._connection, None, None, False
        if connection is not None:
            await asyncio.gather(within(CLOSE_TIMEOUT_S, connection.close), return_exceptions=True)
