"""An actor over HTTP as it is on the wire: its application of this process, behind a real server on a free port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp

from infra.ports import HOST
from tests.integration.stage import Actor

STOP_TIMEOUT_S = 2


@asynccontextmanager
async def served(actor: Actor) -> AsyncIterator[str]:
    """Serve an actor until the end of the block; gives its address."""
    async with served_app(actor.transport.app) as address:
        yield address


@asynccontextmanager
async def served_app(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application that lives already; gives its address."""
    listening = socket.create_server((HOST, 0))
    config = uvicorn.Config(
        app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=STOP_TIMEOUT_S
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://{HOST}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
