"""How the stack stands right now: what the supervisor says, held against the programs themselves."""

import asyncio
import time
from dataclasses import dataclass

import psutil

from infra.native.board import Board, Entry, Phase
from infra.native.credentials import Credentials
from infra.native.install import find
from infra.native.lock import present
from infra.native.program import Probe, State
from infra.native.stack import Stack
from infra.native.state import Home


@dataclass(frozen=True, slots=True)
class Line:
    """One program. Memory is the proportional share of it and its children (PSS), where the kernel tells it."""

    name: str
    state: str
    pid: int | None
    uptime_s: float | None
    restarts: int
    last_exit: int | None
    ports: tuple[int, ...]
    memory_bytes: int | None
    ready: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The whole stack."""

    phase: Phase
    programs: tuple[Line, ...]
    postgres_directory: str

    @property
    def ready(self) -> bool:
        """Whether everything is as it should be."""
        return self.phase is Phase.UP and all(line.ready for line in self.programs)

    @property
    def missing(self) -> tuple[str, ...]:
        """What is not ready."""
        return tuple(line.name for line in self.programs if not line.ready)


def standing(home: Home) -> Standing:
    """Look. Every lasting program is asked whether it is ready, all at once, so the answer is not an old one."""
    board, supervisor = Board.read(home.board), present(home.pid_file)
    where = str(home.postgres.resolve())
    if supervisor is None or board is None:
        return Standing(Phase.DOWN, (), where)
    answers = asyncio.run(_ask(board, _probes(home)))
    lines = [
        Line(
            "supervisor",
            State.READY,
            board.pid,
            _age_s(board.pid),
            0,
            None,
            (),
            _memory_bytes(board.pid, children=False),
            True,
        )
    ]
    lines += [_line(entry, answers.get(entry.name, True)) for entry in board.entries]
    return Standing(board.phase, tuple(lines), where)


def _probes(home: Home) -> dict[str, Probe]:
    installed = find()
    if installed is None:
        return {}
    programs = Stack(home, Credentials.read(home.secrets), installed).programs()
    return {program.name: program.ready for program in programs if program.ready}


async def _ask(board: Board, probes: dict[str, Probe]) -> dict[str, bool]:
    asked = [entry.name for entry in board.entries if entry.state is State.READY and entry.name in probes]
    return dict(zip(asked, await asyncio.gather(*(probes[name]() for name in asked)), strict=True))


def _line(entry: Entry, answer: bool) -> Line:
    ready = answer and entry.state in {State.READY, State.DONE}
    return Line(
        name=entry.name,
        state=entry.state if answer else "not ready",
        pid=entry.pid,
        uptime_s=_age_s(entry.pid),
        restarts=entry.restarts,
        last_exit=entry.last_exit,
        ports=entry.ports,
        memory_bytes=_memory_bytes(entry.pid),
        ready=ready,
    )


def _age_s(pid: int | None) -> float | None:
    try:
        return time.time() - psutil.Process(pid).create_time() if pid else None
    except psutil.Error:
        return None


def _memory_bytes(pid: int | None, children: bool = True) -> int | None:
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        workers = process.children(recursive=True) if children else []
        return sum(map(_share_bytes, (process, *workers)))
    except psutil.Error:
        return None


def _share_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except (psutil.AccessDenied, AttributeError):
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
