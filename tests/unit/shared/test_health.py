"""Health: alive is to run, ready is that everything it needs answers right now."""

import asyncio

import pytest
from fastapi import FastAPI

from shared.http.health import CHECK_TIMEOUT_S, Check, health_router
from tests.unit.shared.http import check_problem, client


async def fine() -> None:
    """Answer."""


async def broken() -> None:
    raise ConnectionError("refused")


async def silent() -> None:
    await asyncio.Event().wait()


def an_app(**checks: Check) -> FastAPI:
    app = FastAPI()
    app.include_router(health_router(checks))
    return app


async def test_ready() -> None:
    """Everything answers."""
    async with client(an_app(database=fine, broker=fine)) as http:
        response = await http.get("/readyz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "checks": {"database": "ok", "broker": "ok"}}


@pytest.mark.parametrize(
    ("check", "verdict"), [(broken, "ConnectionError: refused"), (silent, "TimeoutError: ")], ids=["broken", "silent"]
)
async def test_not_ready(check: Check, verdict: str) -> None:
    """One that fails, or does not answer in time, is named; the others are asked all the same."""
    async with client(an_app(database=fine, broker=check)) as http:
        began_s = asyncio.get_running_loop().time()
        response = await http.get("/readyz")
    document = check_problem(response, 503, "Not ready.")
    assert document["checks"] == {"database": "ok", "broker": verdict}
    assert response.headers["retry-after"] == "1"
    assert asyncio.get_running_loop().time() - began_s < CHECK_TIMEOUT_S + 0.5


async def test_alive() -> None:
    """Whatever is broken around it, a process that runs says so."""
    async with client(an_app(database=broken, broker=silent)) as http:
        response = await http.get("/livez")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
