"""The auditor's desk and its door, with an audit that a test decides."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from asgi_lifespan import LifespanManager

from infra.auditor.desk import Desk
from infra.auditor.web import create_app
from shared.ports import WorldError
from tests.waiting import eventually

FOUND = {"clean": True, "orders": 3, "took_s": 0.2, "rules": [], "breaks": [], "unread": []}


class Look:
    """An audit that ends when a test says so."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.begun = 0
        self.given_up = 0
        self.over = asyncio.Event()

    async def __call__(self) -> dict[str, Any]:
        self.begun += 1
        try:
            await self.over.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.error is not None:
            raise self.error
        return FOUND


@asynccontextmanager
async def asked(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    """The way to an auditor that lives until the end of the block."""
    app = create_app(desk)
    async with (
        LifespanManager(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://auditor:8091") as http,
    ):
        yield http


async def last(http: httpx.AsyncClient) -> dict[str, Any]:
    """Wait until an audit has ended, and give what it came to."""

    async def look() -> dict[str, Any]:
        told: dict[str, Any] = (await http.get("/audit")).json()
        assert not told["running"]
        ended: dict[str, Any] = told["last"]
        assert ended is not None
        return ended

    return await eventually(look)


async def test_one_at_a_time() -> None:
    """Asked again while one runs, it does not begin another; what it found is kept while the next one runs."""
    look = Look()
    async with asked(Desk(look)) as http:
        assert (await http.get("/audit")).json() == {"running": False, "last": None}
        for _ in range(3):
            begun = await http.post("/audit")
            assert (begun.status_code, begun.json()) == (202, {"running": True, "last": None})
            await asyncio.sleep(0)
        look.over.set()
        found = await last(http)
        assert (found["found"], found["complaint"], look.begun) == (FOUND, "", 1)
        look.over.clear()
        assert (await http.post("/audit")).json() == {"running": True, "last": found}


async def test_it_ends_with_its_program() -> None:
    """Whoever stops the auditor does not wait for an audit."""
    look = Look()
    async with asked(Desk(look)) as http:
        await http.post("/audit")
        await eventually(lambda: has_begun(look))
    assert look.given_up == 1


async def has_begun(look: Look) -> None:
    """Insist that it has."""
    assert look.begun


@pytest.mark.parametrize("error", [WorldError("nobody\nanswers"), ValueError("nobody"), TimeoutError("nobody")])
async def test_an_audit_that_cannot_be_run(error: Exception) -> None:
    """It says why, in a line, and the next one is run all the same."""
    look = Look(error)
    look.over.set()
    async with asked(Desk(look)) as http:
        await http.post("/audit")
        told = await last(http)
        assert (told["found"], told["complaint"]) == (None, f"{type(error).__name__}: nobody")
        look.error = None
        await http.post("/audit")
        assert (await last(http))["found"] == FOUND


async def test_an_audit_that_takes_too_long_is_given_up() -> None:
    """It has a bound, and says so."""
    look = Look()
    async with asked(Desk(look, timeout_s=0.01)) as http:
        await http.post("/audit")
        assert (await last(http))["complaint"] == "it took longer than 0 s"
    assert look.given_up == 1


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", {"origin": "http://evil.example"}, 403),
        ("POST", {"origin": "null"}, 403),
        ("POST", {"origin": "http://127.0.0.1:8000"}, 403),
        ("GET", {"host": "evil.example:8091"}, 421),
        ("POST", {"host": "evil.example"}, 421),
        ("GET", {"host": "["}, 421),
        ("GET", {"host": "127.0.0.1:8091"}, 200),
        ("POST", {"host": "localhost:8091"}, 202),
        ("DELETE", {}, 405),
    ],
)
async def test_no_page_has_anything_done_here(method: str, headers: dict[str, str], status: int) -> None:
    """Neither by a form that it sends here, nor under a name that it has pointed at this machine."""
    look = Look()
    async with asked(Desk(look)) as http:
        answer = await http.request(method, "/audit", headers=headers)
        assert answer.status_code == status
        assert (await http.get("/audit")).json()["running"] is (status == 202)
        assert (await http.get("/livez", headers={"host": "anything"})).status_code == 200
