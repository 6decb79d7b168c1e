"""Programs that run natively: signals to the processes that the supervisor says it has started, and to no others."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGQUIT, SIGSTOP, Signals

import psutil

from infra.credentials import Credentials
from infra.failure import StackError
from infra.home import Home
from infra.native.board import Board, Entry
from infra.native.install import MISSING, find
from infra.native.processes import alive
from infra.native.stack import Stack
from infra.run import is_called

COMMAND_TIMEOUT_S = 60.0


class NativeHosts:
    """The supervisor's programs. It starts again what ends, so there is nothing to revive."""

    def __init__(self, home: Home) -> None:
        self._home = home

    async def names(self, program: str) -> Sequence[str]:
        """Name a program's replicas."""
        return [entry.name for entry in self._entries() if is_called(entry.name, program)]

    async def incarnation(self, name: str) -> str:
        """Give its process, which is another after each start."""
        entry = self._entry(name)
        return entry.identity if entry.trace and alive(entry.trace) else ""

    async def kill(self, name: str) -> None:
        """Send SIGKILL to its process."""
        self._send(name, SIGKILL)

    async def quit(self, name: str) -> None:
        """Send SIGQUIT to its process."""
        self._send(name, SIGQUIT)

    async def freeze(self, name: str) -> None:
        """Send SIGSTOP to its process and to those below it."""
        self._send(name, SIGSTOP, workers=True)

    async def thaw(self, name: str) -> None:
        """Send SIGCONT to its process and to those below it, if it runs."""
        if await self.incarnation(name):
            self._send(name, SIGCONT, workers=True)

    async def revive(self, name: str) -> None:
        """Leave it to the supervisor."""

    async def rabbitmqctl(self, *arguments: str) -> None:
        """Run the command of the package, with the node's own environment."""
        installed = find()
        if installed is None:
            raise StackError(MISSING)
        *_, node = Stack(self._home, Credentials.read(self._home.secrets), installed).rabbitmq.programs()
        command = str(installed.server.with_name("rabbitmqctl"))
        running = await asyncio.create_subprocess_exec(
            command, "--quiet", *arguments, env=dict(node.env), stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # a terminal's Ctrl-C is for this command, not for what it undoes with
        )  # fmt: skip
        async with asyncio.timeout(COMMAND_TIMEOUT_S):
            printed, _ = await running.communicate()
        if running.returncode:
            raise StackError(f"rabbitmqctl {arguments[0]} failed", tuple(printed.decode().splitlines()))

    def _send(self, name: str, signal: Signals, *, workers: bool = False) -> None:
        entry = self._entry(name)
        if entry.trace is None or not alive(entry.trace):
            raise StackError(f"{name} does not run")
        for pid in (entry.trace.pid, *(_below(entry.trace.pid) if workers else ())):
            with suppress(ProcessLookupError):
                os.kill(pid, signal)

    def _entry(self, name: str) -> Entry:
        for entry in self._entries():
            if entry.name == name:
                return entry
        raise StackError(f"there is no {name}")

    def _entries(self) -> tuple[Entry, ...]:
        board = Board.read(self._home.board)
        return board.entries if board else ()


def _below(pid: int) -> Iterator[int]:
    with suppress(psutil.Error):
        yield from (child.pid for child in psutil.Process(pid).children(recursive=True))
