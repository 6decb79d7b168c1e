"""A TCP proxy of ours on 127.0.0.1, in front of the broker or the database, that can be told to misbehave."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import Enum
from typing import Protocol

from infra.native.running import free_ports
from infra.ports import HOST

CHUNK_MAX_BYTES = 64 * 1024


class Way(Enum):
    """Which way bytes travel."""

    TO_SERVER = "to the server"
    TO_CLIENT = "to the client"


class CutError(Exception):
    """The connection is to be cut here, in both directions, without a goodbye."""


class Toxic(Protocol):
    """What happens to bytes on their way; `hits` counts how often it happened."""

    hits: int

    async def take(self, chunk: bytes, way: Way) -> bytes:
        """Give what is to travel on of `chunk`, after whatever time; nothing, if it is swallowed.

        Raises:
            CutError: the connection ends here.
        """


class Slow:
    """Delays every chunk by up to `delay_max_s`, drawn from `chance`."""

    def __init__(self, delay_max_s: float, chance: random.Random) -> None:
        self.hits = 0
        self._delay_max_s = delay_max_s
        self._chance = chance

    async def take(self, chunk: bytes, way: Way) -> bytes:  # noqa: ARG002 - both ways are slow
        """Let time pass."""
        self.hits += 1
        await asyncio.sleep(self._chance.uniform(0, self._delay_max_s))
        return chunk


class Cutting:
    """Cuts the connection at a chunk in so many, drawn from `chance`."""

    def __init__(self, one_in: int, chance: random.Random) -> None:
        self.hits = 0
        self._one_in = one_in
        self._chance = chance

    async def take(self, chunk: bytes, way: Way) -> bytes:  # noqa: ARG002 - either way may be cut
        """Let it pass, or cut."""
        if self._chance.randrange(self._one_in):
            return chunk
        self.hits += 1
        raise CutError


class OneWay:
    """Swallows all that travels one way: who sends it gets no answer, and no error either."""

    def __init__(self, swallowed: Way) -> None:
        self.hits = 0
        self._swallowed = swallowed

    async def take(self, chunk: bytes, way: Way) -> bytes:
        """Let it pass, or swallow it."""
        if way is not self._swallowed:
            return chunk
        self.hits += 1
        return b""


class Losing:
    """Loses what holds a telling piece of a protocol, such as the answer to a COMMIT, and cuts the connection there."""

    def __init__(self, telling: bytes, way: Way) -> None:
        self.hits = 0
        self.hit = asyncio.Event()
        self._telling = telling
        self._way = way

    async def take(self, chunk: bytes, way: Way) -> bytes:
        """Let it pass, or cut before it."""
        if way is not self._way or self._telling not in chunk:
            return chunk
        self.hits += 1
        self.hit.set()
        raise CutError


class Proxy:
    """Hands on to `port`. What `toxic` says of the moment holds for all of its connections."""

    def __init__(self, port: int) -> None:
        self.toxic: Toxic | None = None
        self._port = port
        self._connections: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection of a client, until either side ends it or a toxic cuts it."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(OSError, asyncio.CancelledError):
                there, back = await asyncio.open_connection(HOST, self._port)
                try:
                    await self._hand_on(reader, writer, there, back)
                finally:
                    back.transport.abort()
        finally:
            writer.transport.abort()
            self._connections.discard(task)

    def cut(self) -> None:
        """Cut every connection."""
        for task in self._connections:
            task.cancel()

    async def _hand_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter,
        there: asyncio.StreamReader, back: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        ways = [
            asyncio.create_task(self._pump(reader, back, Way.TO_SERVER)),
            asyncio.create_task(self._pump(there, writer, Way.TO_CLIENT)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Way) -> None:
        with suppress(OSError, CutError):
            while chunk := await reader.read(CHUNK_MAX_BYTES):
                writer.write(await self.toxic.take(chunk, way) if self.toxic else chunk)
                await writer.drain()


@asynccontextmanager
async def proxied(port: int) -> AsyncIterator[tuple[Proxy, int]]:
    """Put a proxy in front of `port`, and give it with the port that it listens on."""
    proxy = Proxy(port)
    (own_port,) = free_ports(1)
    server = await asyncio.start_server(proxy.serve, HOST, own_port)
    try:
        yield proxy, own_port
    finally:
        server.close()
        proxy.cut()
