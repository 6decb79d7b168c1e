"""The order service's HTTP interface, as far as a load needs it, with what a test wants it to do wrong."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

PLACED_TIMEOUT_S = 240.0


class Counter:
    """Answers every order as settled at once. It keeps what was asked for each order, by its key."""

    def __init__(self) -> None:
        self.opens = asyncio.Event()
        """Until then placing an order gets no answer."""
        self.hangs_up_times = 0
        """So often the first askers for each order get no answer."""
        self.asked: dict[str, list[str]] = defaultdict(list)
        self._asked_again = asyncio.Condition()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[int]:
        """Serve, on a port of 127.0.0.1."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def placed(self, count: int) -> None:
        """Wait until somebody wanted to place so many orders."""
        async with asyncio.timeout(PLACED_TIMEOUT_S), self._asked_again:
            await self._asked_again.wait_for(lambda: len(self.asked) >= count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        request, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines if line)
        await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = request.split()
        assert headers["authorization"] == "bearer a key"  # on every way: lower case, as all headers here
        order = path.split("/")[2].partition("?")[0] if path != "/orders" else headers["idempotency-key"].split()[1]
        self.asked[order].append(f"{method} {'cancel' if path.endswith('cancel') else 'wait' if '?' in path else path}")
        async with self._asked_again:
            self._asked_again.notify_all()
        if path == "/orders":
            await self.opens.wait()
            if len(self.asked[order]) <= self.hangs_up_times:
                return False
        body = json.dumps({"order_id": order, "settled": True}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        return True
