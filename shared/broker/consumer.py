"""Consuming lanes with FastStream: whole messages into the shell, an ack once all of them is taken care of.

FastStream's defaults would lose messages: here the queues are only looked up (the service's user may not declare),
every lane has its own channel and prefetch, acks are ours alone, and the body is read by our own codec.
"""

import logging
from typing import Any, cast
from uuid import UUID

import orjson
from aio_pika import IncomingMessage
from faststream import AckPolicy
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitMessage, RabbitQueue
from loguru import logger
from pydantic import BaseModel, ConfigDict, create_model

from shared.batch import Item, Raised, Result
from shared.broker.publisher import CONNECT_TIMEOUT_S, RECONNECT_INTERVAL_S
from shared.envelope import Envelope, Read, Unreadable, decode
from shared.event import Event
from shared.reactions import Reactions
from shared.retries import FIRST_FAILED_AT, Failure, Retries, attempts_so_far
from shared.shell import Shell
from shared.topology import Lane, events_exchange, lanes_of


class CloudEvent(BaseModel):
    """The attributes of a CloudEvent of ours, for the AsyncAPI document."""

    model_config = ConfigDict(frozen=True)

    specversion: str = "1.0"
    id: UUID
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str = "application/json"
    correlationid: UUID
    causationid: UUID | None = None
    traceparent: str | None = None


class Consumers:
    """The consumers of one service, a lane each."""

    def __init__(
        self, broker_url: str, reactions: Reactions, shell: Shell, retries: Retries, *, prefetch_max_messages: int,
        drain_timeout_s: float,
    ) -> None:  # fmt: skip
        self._shell = shell
        self._retries = retries
        self.lanes = lanes_of(reactions)
        self.broker = RabbitBroker(
            broker_url,
            timeout=CONNECT_TIMEOUT_S,
            reconnect_interval=RECONNECT_INTERVAL_S,
            graceful_timeout=drain_timeout_s,
            apply_types=False,
            logger=logging.getLogger("quartet.broker"),
            log_level=logging.DEBUG,
            description=f"The lanes that {reactions.service} reacts to, and the events that it publishes.",
        )
        for lane in self.lanes:
            self._subscribe(lane, prefetch_max_messages)
        for event in reactions.published:
            self._document(event)

    async def start(self) -> None:
        """Connect and consume.

        Raises:
            AMQPError, OSError, TimeoutError: the broker is out of reach, or a lane has not been declared.
        """
        await self.broker.start()

    async def drain(self) -> None:
        """Take no more messages; finish those that were begun."""
        for subscriber in self.broker.subscribers:
            await subscriber.stop()

    async def stop(self) -> None:
        """Disconnect; what is not acked goes back to its lane."""
        await self.broker.stop()

    def _subscribe(self, lane: Lane, prefetch_max_messages: int) -> None:
        async def handle(batch: Any) -> None:
            await self._handle(lane, cast("IncomingMessage", batch))

        handle.__annotations__["batch"] = list[_documented(lane.event)]  # type: ignore[misc]  # for AsyncAPI alone
        handle.__name__ = lane.queue.replace(".", "_")
        handle.__doc__ = lane.event.__doc__
        self.broker.subscriber(
            RabbitQueue(lane.queue, routing_key=lane.event.kind.name, durable=True, declare=False),
            RabbitExchange(lane.exchange, ExchangeType.TOPIC, durable=True, declare=False),
            channel=Channel(prefetch_count=prefetch_max_messages, on_return_raises=True),
            ack_policy=AckPolicy.MANUAL,
            decoder=_as_it_is,
            no_reply=True,
            title=lane.queue,
        )(handle)

    def _document(self, event: type[Event]) -> None:
        self.broker.publisher(
            exchange=RabbitExchange(events_exchange(event.kind.owner), ExchangeType.TOPIC, durable=True, declare=False),
            routing_key=event.kind.name,
            persist=True,
            title=event.kind.type,
            description=event.__doc__,
            schema=list[_documented(event)],  # type: ignore[misc]  # a class made at run time
        )

    async def _handle(self, lane: Lane, message: IncomingMessage) -> None:
        reads = decode(message.body, lane.event.kind.name)
        items = [Item(read) for read in reads if isinstance(read, Envelope)]
        results = iter(await self._shell.submit(*items) if items else ())
        failures = [
            failure
            for index, read in enumerate(reads)
            if (failure := _failure(message, index, read, next(results) if isinstance(read, Envelope) else None))
        ]
        if failures:
            await self._retries.set_back(lane, failures)
        try:
            await message.ack()
        except Exception as error:  # noqa: BLE001 - a lost connection: the message comes again, the inbox drops it
            logger.info("an ack was lost, {} comes again: {}", lane.queue, error)


async def _as_it_is(message: RabbitMessage) -> IncomingMessage:
    return message.raw_message


def _documented(event: type[Event]) -> type[BaseModel]:
    return create_model(f"{event.__name__}CloudEvent", __base__=CloudEvent, data=(event, ...))


def _failure(message: IncomingMessage, index: int, read: Read, result: Result | None) -> Failure | None:
    """Say what to set back of a message's event number `index`; None if nothing."""
    first_failed_at = message.headers.get(FIRST_FAILED_AT)
    attempts = attempts_so_far(message.headers) + 1
    earlier = first_failed_at if isinstance(first_failed_at, str) else None
    if isinstance(read, Unreadable):
        name = f"{message.message_id}#{index}"
        return Failure(name, read.body, attempts, "Unreadable", read.reason, earlier, retryable=False)
    if not isinstance(result, Raised):
        return None
    alone = orjson.dumps([orjson.loads(message.body)[index]])
    error = result.error
    return Failure(
        str(read.event_id), alone, attempts, type(error).__name__, f"{type(error).__name__}: {error}", earlier
    )
