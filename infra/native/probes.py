"""Questions to a server that cost it little and need no client library, to keep the supervisor small."""

import asyncio
import base64
import struct
import time
from pathlib import Path

from infra.ports import HOST

PROBE_TIMEOUT_S = 2.0
ANSWER_MAX_BYTES = 64
NOTE_MAX_AGE_S = 30.0

POSTGRES_PROTOCOL = 196608  # 3.0
POSTGRES_ASKS_PASSWORD = b"R"  # an authentication request: it is past recovery and takes connections


async def answer(port: int, question: bytes) -> bytes:
    """Send `question` and give the first bytes of the answer; nothing if there is no answer in time."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            reader, writer = await asyncio.open_connection(HOST, port)
            try:
                writer.write(question)
                return await reader.read(ANSWER_MAX_BYTES)
            finally:
                writer.close()
    except OSError:  # refused, reset, or out of time (TimeoutError)
        return b""


async def http_ok(port: int, path: str, user: str = "", password: str = "") -> bool:
    """Tell whether a GET of `path` is answered with 200."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}", "Connection: close"]
    if user:
        lines.append("Authorization: Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())
    status = (await answer(port, "\r\n".join([*lines, "", ""]).encode())).split(b" ", 2)
    return len(status) > 1 and status[0].startswith(b"HTTP/1.") and status[1] == b"200"


async def postgres_accepts(port: int, user: str) -> bool:
    """Tell whether PostgreSQL asks `user` for a password, as `pg_isready` does (protocol, 55.2.1 Start-up)."""
    parameters = f"user\0{user}\0\0".encode()
    message = struct.pack("!ii", 8 + len(parameters), POSTGRES_PROTOCOL) + parameters
    return (await answer(port, message)).startswith(POSTGRES_ASKS_PASSWORD)


async def noted_lately(file: Path) -> bool:
    """Tell whether a program has noted the time in `file` lately, in seconds since 1970: it has no port to ask."""
    return time.time() - _noted_s(file) < NOTE_MAX_AGE_S


def _noted_s(file: Path) -> float:
    try:
        return float(file.read_text())
    except (OSError, ValueError):
        return 0.0


async def epmd_answers(port: int) -> bool:
    """Tell whether Erlang's port mapper answers its NAMES request, which it does with its own port."""
    return (await answer(port, b"\0\x01n")).startswith(struct.pack("!I", port))
