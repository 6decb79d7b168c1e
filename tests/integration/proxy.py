"""A proxy in front of PostgreSQL that can lose the answer to a commit: it happened, and nobody is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from infra.native.running import free_ports
from infra.ports import HOST

CHUNK_MAX_BYTES = 64 * 1024
COMMIT = b"COMMIT"


class Proxy:
    """Forwards to `port`, and cuts the connection of one transaction when it is told to."""

    def __init__(self, port: int) -> None:
        self.cut = asyncio.Event()
        """Set once the answer of the awaited commit is lost."""
        self._port = port
        self._awaited: bytes | None = None
        self._connections: set[asyncio.Task[None]] = set()

    def lose_commit_of(self, text: str) -> None:
        """Lose the answer to the next commit of a transaction that has mentioned `text`."""
        self._awaited = text.encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one connection of a client."""
        task = asyncio.current_task()
        assert task
        self._connections.add(task)
        try:
            with suppress(OSError):
                server_reader, server_writer = await asyncio.open_connection(HOST, self._port)
                try:
                    await self._forward(reader, writer, server_reader, server_writer)
                finally:
                    server_writer.close()
        finally:
            writer.close()
            self._connections.discard(task)

    async def close(self) -> None:
        """Cut what is still open."""
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
    ) -> None:
        answers = asyncio.create_task(_pump(server_reader, writer))
        mentioned = False
        try:
            while asked := await reader.read(CHUNK_MAX_BYTES):
                mentioned = mentioned or (self._awaited is not None and self._awaited in asked)
                if mentioned and COMMIT in asked:
                    answers.cancel()
                    await asyncio.gather(answers, return_exceptions=True)
                    self._awaited = None
                    server_writer.write(asked)
                    await server_reader.read(CHUNK_MAX_BYTES)  # it has committed
                    self.cut.set()
                    return
                server_writer.write(asked)
                await server_writer.drain()
        finally:
            answers.cancel()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while answer := await reader.read(CHUNK_MAX_BYTES):
            writer.write(answer)
            await writer.drain()
    writer.close()


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
        await proxy.close()
