"""The bound on bodies holds however a body comes."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from starlette.types import Message, Receive, Scope, Send

from shared.http.body_limit import BODY_MAX_BYTES, BodyLimit
from tests.unit.shared.http import check_problem, client


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    """An application that gives back what it was sent."""
    app = FastAPI()
    app.add_middleware(BodyLimit)

    @app.api_route("/echo", methods=["GET", "HEAD", "POST", "PUT", "PATCH"])
    async def echo(request: Request) -> Response:
        return Response(await request.body())

    async with client(app) as http:
        yield http


async def chunks(total_bytes: int, each_bytes: int = 1_000) -> AsyncIterator[bytes]:
    """Send so much, without saying how much it will be."""
    for start in range(0, total_bytes, each_bytes):
        yield b"x" * min(each_bytes, total_bytes - start)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("size", [0, 1, BODY_MAX_BYTES])
async def test_within_the_bound(http: httpx.AsyncClient, method: str, size: int) -> None:
    """A body up to the bound arrives whole, announced or in chunks."""
    for body in (b"x" * size, chunks(size)):
        response = await http.request(method, "/echo", content=body)
        assert response.content == b"x" * size


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("size", [BODY_MAX_BYTES + 1, 10 * BODY_MAX_BYTES])
async def test_beyond_the_bound(http: httpx.AsyncClient, method: str, size: int) -> None:
    """One byte more is answered with 413, announced or in chunks, and the connection is not used again."""
    for body in (b"x" * size, chunks(size), chunks(size, BODY_MAX_BYTES)):
        response = await http.request(method, "/echo", content=body)
        check_problem(response, 413, f"A body may have {BODY_MAX_BYTES} bytes at the most.")
        assert response.headers["connection"] == "close"


async def test_reads_no_further_than_it_must(http: httpx.AsyncClient) -> None:
    """A body without end is not read to its end."""
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1_000
            yield b"x" * 1_000

    check_problem(await http.post("/echo", content=endless()), 413)
    assert sent <= BODY_MAX_BYTES + 2_000


@pytest.mark.parametrize("begun", [b"", b'{"a":1}'])
async def test_half_a_body_is_none(begun: bytes) -> None:
    """A caller that hangs up before the end of its body has asked for nothing."""
    messages: Iterator[Message] = iter(
        [{"type": "http.request", "body": begun, "more_body": True}, {"type": "http.disconnect"}]
    )
    reached: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope)

    async def receive() -> Message:
        return next(messages)

    async def send(_: Message) -> None:
        raise AssertionError("nobody is there")

    await BodyLimit(app)({"type": "http", "method": "POST"}, receive, send)
    assert reached == []


async def test_what_has_no_body_is_left_alone(http: httpx.AsyncClient) -> None:
    """A GET goes through as it is."""
    assert (await http.get("/echo")).status_code == 200
