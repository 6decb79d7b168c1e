"""Real processes: started on free ports, ended by their own id."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

READY_MAX_S = 20.0
READY = (b"running on", b"listening on")
"""The server says so, or the program itself just before."""


def free_port() -> int:
    """Find a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def program(module: str, **environment: object) -> AsyncIterator[Process]:
    """Run a module until the block ends; enter when it says that it listens. Raises TimeoutError."""
    settings = {name: str(value) for name, value in environment.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, env=os.environ | settings, stdout=DEVNULL, stderr=PIPE
    )
    try:
        await asyncio.wait_for(_ready(process), READY_MAX_S)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _ready(process: Process) -> None:
    assert process.stderr
    said = b""
    while not any(ready in said for ready in READY):
        line = await process.stderr.readline()
        said += line
        assert line, f"the program ended before it listened: {said.decode()}"
