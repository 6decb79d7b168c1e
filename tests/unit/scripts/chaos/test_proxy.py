"""The proxy, in front of a server that sends back what it gets."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from infra.ports import HOST
from scripts.chaos.experiments.windows import BASIC_ACK, COMMITTED
from scripts.chaos.proxy import Cutting, Losing, OneWay, Proxy, Slow, Toxic, Way, proxied

DEADLINE_S = 10.0


@asynccontextmanager
async def echoing() -> AsyncIterator[tuple[Proxy, asyncio.StreamReader, asyncio.StreamWriter, list[bytes]]]:
    """Give a proxy, a connection through it, and what the server has got."""
    got: list[bytes] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(100):
            got.append(chunk)
            writer.write(chunk)
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    async with asyncio.timeout(DEADLINE_S), proxied(port) as (proxy, own_port):
        reader, writer = await asyncio.open_connection(HOST, own_port)
        try:
            yield proxy, reader, writer, got
        finally:
            writer.close()
            server.close()


async def test_it_hands_on() -> None:
    """Both ways, as long as nothing is toxic."""
    async with echoing() as (_, reader, writer, got):
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert got == [b"hello"]


async def test_an_end_is_handed_on() -> None:
    """Who hangs up is not waited for."""
    async with echoing() as (_, reader, writer, _):
        writer.write(b"hello")
        await reader.readexactly(5)
        writer.write_eof()
        assert await reader.read() == b""


async def test_slow() -> None:
    """All arrives, later."""
    async with echoing() as (proxy, reader, writer, _):
        proxy.toxic = toxic = Slow(0.01, random.Random(1))
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert toxic.hits == 2


async def test_one_way_swallows_one_way_alone() -> None:
    """The server has got it, and its answer never comes; the connection stays."""
    async with echoing() as (proxy, reader, writer, got):
        proxy.toxic = toxic = OneWay(Way.TO_CLIENT)
        writer.write(b"lost")
        while not toxic.hits:  # noqa: ASYNC110 - a number sets no event
            await asyncio.sleep(0)
        assert got == [b"lost"]
        proxy.toxic = None
        writer.write(b"found")
        assert await reader.readexactly(5) == b"found"


async def test_cutting_ends_the_connection_before_the_chunk() -> None:
    """Whoever waits is told by the end of the connection."""
    async with echoing() as (proxy, reader, writer, got):
        proxy.toxic = toxic = Cutting(1, random.Random(1))
        writer.write(b"never arrives")
        assert await told_the_end(reader) == b""
        assert (toxic.hits, got) == (1, [])


@pytest.mark.parametrize(
    ("telling", "way", "arrived"), [(BASIC_ACK, Way.TO_SERVER, False), (COMMITTED, Way.TO_CLIENT, True)]
)
async def test_losing_cuts_exactly_there(telling: bytes, way: Way, arrived: bool) -> None:
    """What comes before it travels on; the rest happened on one side, and the other never hears of it."""
    async with echoing() as (proxy, reader, writer, got):
        proxy.toxic = toxic = Losing(telling, way)
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        assert not toxic.hit.is_set()
        writer.write(b"xx" + telling)
        assert await told_the_end(reader) == b""
        assert toxic.hit.is_set()
        assert (b"xx" + telling in got) is arrived


def test_the_telling_pieces_are_those_of_the_protocols() -> None:
    """As in the specification of AMQP 0-9-1 (basic.ack: class 60, method 80) and PostgreSQL's message formats."""
    frame = b"\x01" + (1).to_bytes(2) + (13).to_bytes(4) + (60).to_bytes(2) + (80).to_bytes(2) + bytes(9) + b"\xce"
    assert BASIC_ACK in frame
    message = b"C" + (4 + len(b"COMMIT\0")).to_bytes(4) + b"COMMIT\0"
    assert message == COMMITTED


async def test_it_leaves_no_connection_behind() -> None:
    """When the block ends, whoever is connected is cut."""
    async with echoing() as (proxy, reader, writer, _):
        writer.write(b"hello")
        await reader.readexactly(5)
        proxy.cut()
        assert await told_the_end(reader) == b""


async def told_the_end(reader: asyncio.StreamReader) -> bytes:
    """Read to the end, which may be a reset."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


def test_every_toxic_is_one() -> None:
    """For mypy: each fits the protocol."""
    toxics: list[Toxic] = [
        Slow(0.0, random.Random(1)),
        Cutting(1, random.Random(1)),
        OneWay(Way.TO_SERVER),
        Losing(b"x", Way.TO_SERVER),
    ]
    assert [toxic.hits for toxic in toxics] == [0, 0, 0, 0]
