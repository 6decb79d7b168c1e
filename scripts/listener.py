"""A passive listener: hears every public event as it is published, and changes nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

import orjson
from aio_pika.abc import AbstractIncomingMessage

from shared.broker.publisher import open_connection
from shared.topology import events_exchange

QUEUE_MAX_MESSAGES = 10_000
"""What nobody reads is dropped, the oldest first: a listener never holds up those it listens to."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A public event as it was published; `at` is the time of the transaction that logged it."""

    service: str
    name: str
    order_id: str
    at: datetime
    data: dict[str, Any]


@asynccontextmanager
async def listening(broker_url: str, services: Iterable[str]) -> AsyncIterator["asyncio.Queue[Heard]"]:
    """Hear the events of `services` from now on.

    Raises:
        AMQPError, OSError, TimeoutError: the broker is out of reach.
    """
    heard: asyncio.Queue[Heard] = asyncio.Queue()

    async def hear(message: AbstractIncomingMessage) -> None:
        for attributes in orjson.loads(message.body):
            heard.put_nowait(_heard(attributes))

    connection = await open_connection(broker_url, "quartet listener")
    async with connection:
        channel = await connection.channel()
        limits = {"x-max-length": QUEUE_MAX_MESSAGES, "x-overflow": "drop-head"}
        queue = await channel.declare_queue(f"observer.{uuid4()}", exclusive=True, auto_delete=True, arguments=limits)
        for service in services:
            await queue.bind(events_exchange(service), "#")
        await queue.consume(hear, no_ack=True)
        yield heard


def _heard(attributes: dict[str, Any]) -> Heard:
    return Heard(
        service=attributes["source"].rpartition("/")[2],
        name=attributes["type"].rpartition(".")[0],
        order_id=attributes["correlationid"],
        at=datetime.fromisoformat(attributes["time"]),
        data=attributes["data"],
    )
