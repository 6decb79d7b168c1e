"""Messages that are taken and handed back, again and again, and what a broker makes of it by its version."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import aio_pika
import httpx
from aio_pika.abc import AbstractIncomingMessage

from infra.ports import HOST
from infra.rabbitmq.users import TOPOLOGY
from tests.integration.servers import PASSWORD, Servers
from tests.waiting import DEADLINE_S, eventually

Version: TypeAlias = tuple[int, int]
Way: TypeAlias = Callable[[AbstractIncomingMessage], Awaitable[None]]


async def broker_version(servers: Servers) -> Version:
    """Ask the broker which it is."""
    async with httpx.AsyncClient(auth=(TOPOLOGY, PASSWORD), timeout=DEADLINE_S) as http:
        overview = (await http.get(f"http://{HOST}:{servers.management_port}/api/overview")).json()
    major, minor, *_ = overview["rabbitmq_version"].split(".")
    return int(major), int(minor)


async def reject(message: AbstractIncomingMessage) -> None:
    """Refuse it with `basic.reject`."""
    await message.reject(requeue=True)


async def nack(message: AbstractIncomingMessage) -> None:
    """Refuse it with `basic.nack`."""
    await message.nack(requeue=True)


async def crash(message: AbstractIncomingMessage) -> None:
    """Go away without an answer, as a process that dies or is restarted does."""


def counts(way: Way, version: Version) -> bool:
    """Tell whether a broker of this version counts this way towards a queue's delivery limit."""
    return way is not nack or version < (4, 3)


@asynccontextmanager
async def taken(servers: Servers, queue: str) -> AsyncIterator[AbstractIncomingMessage]:
    """Take a message, on a connection of its own that ends with the block."""
    async with await aio_pika.connect(servers.broker_url(TOPOLOGY), timeout=DEADLINE_S) as connection:
        lane = await (await connection.channel()).get_queue(queue, ensure=False)

        async def look() -> AbstractIncomingMessage:
            message = await lane.get(fail=False)
            assert message is not None, f"nothing in {queue}"
            return message

        yield await eventually(look)


async def hand_back(servers: Servers, queue: str, times: int, way: Way) -> None:
    """Take the one message of a queue and hand it back, so many times."""
    for _ in range(times):
        async with taken(servers, queue) as message:
            await way(message)
