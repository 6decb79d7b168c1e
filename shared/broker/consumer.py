"""Consuming lanes with FastStream: whole messages into the shell, an ack once all of them is taken care of.

FastStream's defaults would lose messages: here the queues are only looked up (the service's user may not declare),
every lane has its own channel and prefetch, acks are ours alone, and the body is read by our own codec.
"""

import asyncio
import logging
from typing import Any, cast
from uuid import UUID

from aio_pika import IncomingMessage
from faststream import AckPolicy
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitMessage, RabbitQueue
from loguru import logger
from pydantic import BaseModel, ConfigDict, create_model
from yarl import URL

from shared.backoff import Backoff
from shared.batch import Deadly, Item, Raised, Result
from shared.broker.properties import read_whatever_they_are
from shared.broker.publisher import CONNECT_TIMEOUT_S, HEARTBEAT_S, RECONNECT_INTERVAL_S
from shared.envelope import Envelope, Read, Unreadable, apart, decode
from shared.event import Event
from shared.letters import Keeper, Letter, bare_letter, letters_of
from shared.ports import Clock, WorldError
from shared.reactions import Reactions
from shared.retries import FIRST_FAILED_AT, Failure, Retries, attempts_so_far
from shared.shell import Shell, StoppedError
from shared.topology import Lane, dead_exchange, events_exchange, lanes_of

DRAIN_PREFETCH_MAX_MESSAGES = 20
STRANGERS_TEXT_MAX_CHARACTERS = 40
"""So much of an id or a time in a message's own words is sent on: ours are no longer, and what is too long for its
place in a message could never be published."""
DRAIN_BACKOFF = Backoff(first_s=0.2, most_s=5.0)


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
        self, broker_url: str, reactions: Reactions, shell: Shell, retries: Retries, keeper: Keeper, clock: Clock, *,
        prefetch_max_messages: int, drain_timeout_s: float,
    ) -> None:  # fmt: skip
        self._shell = shell
        self._retries = retries
        self._keeper = keeper
        self._clock = clock
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

    def _subscribe_dead(self, queue: str) -> None:
        async def drain(message: Any) -> None:
            await self._drain(cast("IncomingMessage", message))

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

    async def _handle(self, lane: Lane, message: IncomingMessage) -> None:
        try:
            failures = await self._react(lane, message)
        except StoppedError:  # not acked: it goes back to its lane when the connection closes
            return
        except Exception as error:  # noqa: BLE001 - a message that nobody can handle must not block its lane
            logger.opt(exception=error).error("a message of {} cannot be handled", lane.queue)
            whole = _name(message, 0)
            failures = [
                _failure(message, whole, message.body, type(error).__name__, "cannot be handled", retryable=True)
            ]
        if failures:
            await self._retries.set_back(lane, failures)
        await _ack(message)

    async def _drain(self, message: IncomingMessage) -> None:
        """Keep a dead letter, and only then ack it; what can never be kept as it is takes no room from the others."""
        letters: list[Letter] = []
        for delay_s in DRAIN_BACKOFF.delays_s():
            try:
                letters = letters or letters_of(message.body, message.headers, self._clock.now())
                await self._keeper.keep(letters)
                break
            except WorldError as error:
                logger.warning("{} dead letters not kept yet, again in {:.1f} s: {}", len(letters), delay_s, error)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next attempt would meet it again
                why = f"it cannot be kept as it is: {type(error).__name__}"
                logger.error("a dead letter is kept bare in {:.1f} s: {}", delay_s, why)
                letters = [bare_letter(message.body, message.headers, why, self._clock.now())]
            await self._clock.sleep(delay_s)
        await _ack(message)

    async def _react(self, lane: Lane, message: IncomingMessage) -> list[Failure]:
        """Have the shell react to the events of a message, and say what is to be set back of it."""
        reads = decode(message.body, lane.event.kind.name)
        redelivered = bool(message.redelivered)
        items = [Item(read, redelivered=redelivered) for read in reads if isinstance(read, Envelope)]
        results = iter(await self._shell.submit(*items) if items else ())
        answers = [(read, read if isinstance(read, Unreadable) else next(results)) for read in reads]
        failed = [
            index for index, (_, answer) in enumerate(answers) if isinstance(answer, Unreadable | Raised | Deadly)
        ]
        bodies = apart(message.body, failed) if failed else []
        failures = [_failed(message, index, *answers[index], body) for index, body in zip(failed, bodies, strict=True)]
        # a body that cannot be taken apart goes once, and is tried again if any of its events may be
        return list({each.body: each for each in sorted(failures, key=lambda each: each.retryable)}.values())


async def _ack(message: IncomingMessage) -> None:
    try:
        await message.ack()
    except Exception as error:  # noqa: BLE001 - a lost connection: the message comes again, and changes nothing
        logger.info("an ack was lost, {} comes again: {}", message.message_id, error)


async def _as_it_is(message: RabbitMessage) -> IncomingMessage:
    return message.raw_message


def _documented(event: type[Event]) -> type[BaseModel]:
    return create_model(f"{event.__name__}CloudEvent", __base__=CloudEvent, data=(event, ...))


def _failed(message: IncomingMessage, index: int, read: Read, answer: Result | Unreadable, body: bytes) -> Failure:
    """Say how an event failed: it is tried again, unless it cannot be read or has ended processes."""
    if isinstance(read, Unreadable):
        return _failure(message, _name(message, index), body, "Unreadable", read.reason, retryable=False)
    event_id = str(read.event_id)
    if isinstance(answer, Deadly):
        reason = f"{answer.runs} processes ended while they reacted to it"
        return _failure(message, event_id, body, "Deadly", reason, retryable=False)
    assert isinstance(answer, Raised)
    error_class = type(answer.error).__name__
    return _failure(message, event_id, body, error_class, f"{error_class}: {answer.error}", retryable=True)


def _failure(
    message: IncomingMessage, event_id: str, body: bytes, error_class: str, reason: str, *, retryable: bool
) -> Failure:
    return Failure(
        event_id=event_id,
        body=body,
        attempts=attempts_so_far(message.headers) + 1,
        error_class=error_class,
        reason=reason,
        first_failed_at=_first_failed_at(message),
        retryable=retryable,
    )


def _name(message: IncomingMessage, index: int) -> str:
    """Name a part of a message that has no readable id of its own."""
    return f"{(message.message_id or '')[:STRANGERS_TEXT_MAX_CHARACTERS]}#{index}"


def _first_failed_at(message: IncomingMessage) -> str | None:
    at = message.headers.get(FIRST_FAILED_AT)
    return at if isinstance(at, str) and len(at) <= STRANGERS_TEXT_MAX_CHARACTERS else None
