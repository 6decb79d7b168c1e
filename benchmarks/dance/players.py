"""The four services as processes of their own, and what everything on the machine that belongs to them has used."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import psutil

from benchmarks.dance.servers import Servers
from infra.home import REPOSITORY
from infra.native.environment import inherited
from infra.native.logs import log_file
from infra.ports import SERVICES

ANSWER_TIMEOUT_S = 300.0
STOP_TIMEOUT_S = 20.0
LINE_MAX_BYTES = 64 * 1024 * 1024


class Player:
    """One service's process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def tell(self, do: str, **what: Any) -> dict[str, Any]:
        """Tell it to do something, and give its answer."""
        assert self._process.stdin
        self._process.stdin.write(orjson.dumps({"do": do, **what}) + b"\n")
        return await self.answer()

    async def answer(self) -> dict[str, Any]:
        """Wait for a line of its output.

        Raises:
            EOFError: it ended instead.
        """
        assert self._process.stdout
        line = await asyncio.wait_for(self._process.stdout.readline(), ANSWER_TIMEOUT_S)
        if not line:
            raise EOFError(f"a player ended with {await self._process.wait()}")
        told: dict[str, Any] = orjson.loads(line)
        return told

    async def stop(self) -> None:
        """End its input, and wait until it has drained."""
        assert self._process.stdin
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@dataclass(frozen=True, slots=True)
class Used:
    """Seconds of processor time."""

    postgres: float
    rabbitmq: float
    python: float

    def since(self, before: "Used", orders: int) -> dict[str, float]:
        """Give milliseconds for each order."""
        parts = {name: getattr(self, name) - getattr(before, name) for name in self.__slots__}
        return {name: seconds * 1000 / orders for name, seconds in parts.items()}


@dataclass(frozen=True, slots=True)
class Quartet:
    """All four, ready."""

    servers: Servers
    players: dict[str, Player]

    @property
    def order(self) -> Player:
        """The one that places the orders."""
        return self.players["order"]

    async def used(self) -> Used:
        """Ask what everything has used so far."""
        answers = await asyncio.gather(*(player.tell("usage") for player in self.players.values()))
        return Used(
            postgres=_used_s(self.servers.database.pids[-1]),
            rabbitmq=_used_s(self.servers.broker.pids[-1]),
            python=sum(answer["cpu_s"] for answer in answers),
        )


@asynccontextmanager
async def playing(servers: Servers, batch_max_events: int, pack_max_events: int) -> AsyncIterator[Quartet]:
    """Start the four; stop them in the end."""
    limits = {"QUARTET_BATCH_MAX_EVENTS": str(batch_max_events), "QUARTET_PACK_MAX_EVENTS": str(pack_max_events)}
    async with AsyncExitStack() as stack:
        players = {}
        for name in SERVICES:
            players[name] = Player(await _start(servers, name, limits))
            stack.push_async_callback(players[name].stop)
        for player in players.values():
            await player.answer()
        yield Quartet(servers, players)


async def _start(servers: Servers, name: str, limits: dict[str, str]) -> asyncio.subprocess.Process:
    log = os.open(log_file(servers.database.logs, name), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "benchmarks.dance.player", name),
            cwd=REPOSITORY,
            env=inherited(
                QUARTET_DATABASE_URL=servers.database_url(f"{name}_service"),
                QUARTET_BROKER_URL=servers.rabbitmq.url(name),
                QUARTET_HTTP_PORT="1",
                QUARTET_OPERATOR_KEY="a-benchmark",
                QUARTET_PROVIDER_URL="http://nobody.invalid",
                QUARTET_SMTP_URL="smtp://nobody.invalid:25",
                **limits,
            ),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            limit=LINE_MAX_BYTES,
            start_new_session=True,
        )
    finally:
        os.close(log)


def _used_s(pid: int) -> float:
    """Add up a process, the children it has now and those that are gone."""
    root = psutil.Process(pid)
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        times = process.cpu_times()
        total += times.user + times.system + times.children_user + times.children_system
    return total
