"""Consuming lanes with FastStream: whole messages, and their acks, in the hands of the receiver.

FastStream's defaults would lose messages: here the queues are only looked up (the service's user may not declare),
every lane has its own channel and prefetch, acks are ours alone, and the body is read by our own codec.
"""

import asyncio
import logging
from functools import cache
from typing import Any, cast
from uuid import UUID

from aio_pika import IncomingMessage
from faststream import AckPolicy
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitMessage, RabbitQueue
from pydantic import BaseModel, ConfigDict, create_model
from yarl import URL

from shared.broker.properties import read_whatever_they_are
from shared.broker.publisher import CONNECT_TIMEOUT_S, HEARTBEAT_S, RECONNECT_INTERVAL_S
from shared.event import Event
from shared.reactions import Reactions
from shared.receiving import Receiver
from shared.topology import Lane, dead_exchange, events_exchange, lanes_of

DRAIN_PREFETCH_MAX_MESSAGES = 20


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
        self, broker_url: str, reactions: Reactions, receiver: Receiver, *,
        prefetch_max_messages: int, drain_timeout_s: float,
    ) -> None:  # fmt: skip
        self._receiver = receiver
        self.lanes = lanes_of(reactions)
        read_whatever_they_are()
        self.broker = RabbitBroker(
            str(URL(broker_url).update_query(heartbeat=HEARTBEAT_S, name=f"quartet {reactions.service} consumers")),
            specification_url=str(URL(broker_url).with_user(None).with_password(None)),
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
        self._dead = dead_exchange(reactions.service)
        self._subscribe_dead(self._dead)
        for event in reactions.published:
            self._document(event)

    @property
    def queues(self) -> tuple[str, ...]:
        """Every queue that is consumed: the lanes, and the dead letters."""
        return (*(lane.queue for lane in self.lanes), self._dead)

    async def start(self) -> None:
        """Connect and consume.

        Raises:
            AMQPError, OSError, TimeoutError: the broker is out of reach, or a lane has not been declared.
        """
        await self.broker.start()

    async def drain(self) -> None:
        """Take no more messages; finish those that were begun. A channel that is lost brings none either."""
        # gathered: what a lost connection ends in CancelledError must not end the drain
        await asyncio.gather(*(subscriber.stop() for subscriber in self.broker.subscribers), return_exceptions=True)

    async def stop(self) -> None:
        """Disconnect; what is not acked goes back to its lane."""
        await self.broker.stop()

    def _subscribe(self, lane: Lane, prefetch_max_messages: int) -> None:
        async def handle(batch: Any) -> None:
            await self._receiver.handle(lane, cast("IncomingMessage", batch))

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

    def _subscribe_dead(self, queue: str) -> None:
        async def drain(message: Any) -> None:
            await self._receiver.drain(cast("IncomingMessage", message))

        self.broker.subscriber(
            RabbitQueue(queue, durable=True, declare=False),
            channel=Channel(prefetch_count=DRAIN_PREFETCH_MAX_MESSAGES, on_return_raises=True),
            ack_policy=AckPolicy.MANUAL,
            decoder=_as_it_is,
            no_reply=True,
            include_in_schema=False,
        )(drain)

    def _document(self, event: type[Event]) -> None:
        self.broker.publisher(
            exchange=RabbitExchange(events_exchange(event.kind.owner), ExchangeType.TOPIC, durable=True, declare=False),
            routing_key=event.kind.name,
            persist=True,
            title=event.kind.type,
            description=event.__doc__,
            schema=list[_documented(event)],  # type: ignore[misc]  # a class made at run time
        )


async def _as_it_is(message: RabbitMessage) -> IncomingMessage:
    return message.raw_message


@cache
def _documented(event: type[Event]) -> type[BaseModel]:
    return create_model(f"{event.__name__}CloudEvent", __base__=CloudEvent, data=(event, ...))
