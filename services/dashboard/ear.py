"""Hears which services have logged something. What that was is read from their feeds: with a news nothing is lost."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

from aio_pika import RobustConnection
from aio_pika.abc import AbstractIncomingMessage
from aio_pika.exceptions import AMQPError
from loguru import logger

from shared.backoff import Backoff
from shared.broker.closing import within
from shared.broker.publisher import open_connection
from shared.topology import news_exchange, news_queue

AGAIN = Backoff(first_s=0.5, most_s=5.0)
CLOSE_TIMEOUT_S = 1.0


class Ear:
    """Listens on the dashboard's queue, which the broker keeps short: of news that nobody takes the oldest go."""

    def __init__(self, broker_url: str | None, services: Iterable[str]) -> None:
        self._broker_url = broker_url
        self._news = {news_exchange(service): asyncio.Event() for service in services}
        self._connection: RobustConnection | None = None

    @property
    def hears(self) -> bool:
        """Say whether it would hear news; deaf, it leaves looking to whoever waits."""
        return self._connection is not None and self._connection.connected.is_set()

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
        """Listen until cancelled. Once there, the connection and its consumer come back by themselves."""
        if self._broker_url is None:
            return
        failures = 0
        try:
            while not await self._listens(self._broker_url, failures):
                failures += 1
                await asyncio.sleep(AGAIN.delay_s(failures))
            await asyncio.Event().wait()
        finally:
            await self._hang_up()

    async def _listens(self, broker_url: str, failures: int) -> bool:
        # gathered: a connection that misses its heartbeats ends whoever waits for it in CancelledError
        (error,) = await asyncio.gather(self._listen(broker_url), return_exceptions=True)
        if error is None:
            return True
        if not isinstance(error, AMQPError | OSError | TimeoutError | asyncio.CancelledError):
            raise error
        log = logger.debug if failures else logger.warning
        log("no news are heard, and the feeds are read all the same: {!r}", error)
        await self._hang_up()
        return False

    async def _listen(self, broker_url: str) -> None:
        self._connection = await open_connection(broker_url, "quartet dashboard")
        channel = await self._connection.channel()
        queue = await channel.get_queue(news_queue("dashboard"), ensure=False)
        await queue.consume(self._hear, no_ack=True)

    async def _hear(self, message: AbstractIncomingMessage) -> None:
        if (news := self._news.get(message.exchange or "")) is not None:
            news.set()

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await within(CLOSE_TIMEOUT_S, connection.close)
