"""`/livez`: this process runs. `/readyz`: its database, its broker and the consumers of its lanes answer, right now."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from shared.http.problems import CONTENT_TYPE, problem_body

CHECK_TIMEOUT_S = 2.0

Check = Callable[[], Awaitable[None]]
"""Raises what is wrong."""


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """Serve the two probes."""
    router = APIRouter(tags=["health"])

    @router.get("/livez", summary="This process runs")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz", summary="Everything it needs answers", response_model=None)
    async def readyz() -> Response:
        verdicts = dict(zip(checks, await asyncio.gather(*map(_verdict, checks.values())), strict=True))
        if all(verdict == "ok" for verdict in verdicts.values()):
            return JSONResponse({"status": "ok", "checks": verdicts})
        return JSONResponse(
            problem_body(503, "Not ready.", checks=verdicts),
            503,
            media_type=CONTENT_TYPE,
            headers={"Retry-After": "1"},
        )

    return router


async def _verdict(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_TIMEOUT_S):
            # gathered, because a connection that misses its heartbeats ends whoever waits for it in CancelledError
            (error,) = await asyncio.gather(check(), return_exceptions=True)
    except TimeoutError as timeout:
        error = timeout
    return "ok" if error is None else f"{type(error).__name__}: {error}"
