"""A server without the supervisor: started, stopped, killed, frozen and restarted by a test."""

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from signal import SIGCONT, SIGSTOP, Signals

import psutil

from infra.failure import StackError
from infra.native.child import Child
from infra.native.logs import log_file, tail
from infra.native.postgres import Postgres
from infra.native.program import Program
from infra.native.rabbitmq import RabbitMQ
from infra.native.readiness import became_ready, succeeded
from infra.occupied import free

PORTS_FROM, PORTS_TO = 20_000, 32_000  # below those of outgoing connections, which come and go
LOG_LINES = 30
WORKERS_TIMEOUT_S = 10.0


class Running:
    """The programs of one server, the server itself being the last; loop-agnostic, as a `Child` is.

    Start it from the main thread: it is ended by the kernel when the thread ends that started it.
    """

    def __init__(self, programs: Sequence[Program], logs: Path) -> None:
        self.logs = logs
        self._programs = tuple(programs)
        self._children: dict[str, Child] = {}

    async def start(self) -> None:
        """Start what is not running, and wait until it is ready.

        Raises:
            StackError: it ended, or was not ready in time.
        """
        for program in self._programs:
            child = self._children.get(program.name)
            if child is None or child.exit_code is not None:
                self._children[program.name] = await self._begin(program)

    async def run(self, program: Program) -> None:
        """Run a program that runs once, such as `Postgres.roles`.

        Raises:
            StackError: it failed.
        """
        await self._begin(program)

    async def stop(self) -> None:
        """Ask it to end and wait for it."""
        for program in reversed(self._programs):
            if child := self._children.pop(program.name, None):
                await child.stop(program.stop_signal, program.stop_timeout_s)

    async def kill(self) -> None:
        """Kill the server as a power cut would, and wait until its workers have gone too."""
        server = self._children.pop(self._programs[-1].name)
        workers = psutil.Process(server.pid).children(recursive=True)
        await server.kill()
        await asyncio.to_thread(psutil.wait_procs, workers, WORKERS_TIMEOUT_S)

    async def restart(self) -> None:
        """Stop it and start it again on the same data."""
        await self.stop()
        await self.start()

    def freeze(self) -> None:
        """Stop the server and its workers in their tracks: connections stay open, and nobody answers."""
        self._signal(SIGSTOP)

    def thaw(self) -> None:
        """Let them go on."""
        self._signal(SIGCONT)

    @property
    def pids(self) -> tuple[int, ...]:
        """Its processes, without their workers."""
        return tuple(child.pid for child in self._children.values() if child.exit_code is None)

    def _signal(self, signal: Signals) -> None:
        server = psutil.Process(self._children[self._programs[-1].name].pid)
        for process in (server, *server.children(recursive=True)):
            process.send_signal(signal)

    async def _begin(self, program: Program) -> Child:
        log = log_file(self.logs, program.name)
        child = Child(program, log)
        try:
            async with asyncio.timeout(program.ready_timeout_s):
                ready = await (succeeded(child) if program.once else became_ready(program, child))
        except BaseException as error:
            await child.kill()
            if isinstance(error, TimeoutError):
                raise self._failure(program, child, f"was not ready within {program.ready_timeout_s:g} s") from None
            raise
        if not ready:
            raise self._failure(program, child, f"ended with exit code {child.exit_code}")
        return child

    def _failure(self, program: Program, child: Child, what: str) -> StackError:
        lines = tail(log_file(self.logs, program.name), LOG_LINES, child.log_offset)
        return StackError(f"{program.name} {what}", lines)


@asynccontextmanager
async def running(server: Postgres | RabbitMQ) -> AsyncIterator[Running]:
    """Initialise and start a server; stop it at the end, whatever state it was left in."""
    server.initialise()
    programs = (server.program(),) if isinstance(server, Postgres) else server.programs()
    handle = Running(programs, server.directory)
    try:
        await handle.start()
        yield handle
    finally:
        await handle.stop()


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty directory that PostgreSQL's user can walk to, which pytest's own `tmp_path` is not."""
    directory = Path(tempfile.mkdtemp(prefix="quartet-"))
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def free_ports(count: int) -> tuple[int, ...]:
    """Draw ports that nobody listens on now."""
    candidates = random.sample(range(PORTS_FROM, PORTS_TO), PORTS_TO - PORTS_FROM)
    return tuple([port for _, port in zip(range(count), filter(free, candidates), strict=False)])
