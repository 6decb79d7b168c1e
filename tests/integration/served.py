"""An actor over HTTP as it is on the wire: its application of this process, behind a real server on a free port."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from infra.ports import HOST
from tests.integration.stage import Actor


@asynccontextmanager
async def served(actor: Actor) -> AsyncIterator[str]:
    """Serve an actor until the end of the block; gives its address."""
    listening = socket.create_server((HOST, 0))
    config = uvicorn.Config(actor.transport.app, lifespan="off", log_config=None, access_log=False)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listening]))
    try:
        yield f"http://{HOST}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
