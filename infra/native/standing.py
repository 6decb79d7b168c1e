"""How the stack stands right now: what the supervisor says, held against the programs themselves."""

import asyncio
import time

import psutil

from infra.credentials import Credentials
from infra.home import Home
from infra.native.board import Board, Entry
from infra.native.install import find
from infra.native.presence import present
from infra.native.program import Probe
from infra.native.stack import Stack
from infra.standing import Line, Phase, Standing, State


def look(home: Home, scale: int) -> Standing:
    """Look. Every lasting program is asked whether it is ready, all at once, so the answer is not an old one."""
    board, supervisor = Board.read(home.board), present(home.pid_file)
    where = str(home.postgres.resolve())
    if supervisor is None or board is None:
        return Standing(Phase.DOWN, (), where)
    answers = asyncio.run(_ask(board, _probes(home, scale)))
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


def _probes(home: Home, scale: int) -> dict[str, Probe]:
    installed = find()
    if installed is None:
        return {}
    programs = Stack(home, Credentials.read(home.secrets), installed, scale).programs()
    return {program.name: program.ready for program in programs if program.ready}


async def _ask(board: Board, probes: dict[str, Probe]) -> dict[str, bool]:
    asked = [entry.name for entry in board.entries if entry.state is State.READY and entry.name in probes]
    return dict(zip(asked, await asyncio.gather(*(probes[name]() for name in asked)), strict=True))


def _line(entry: Entry, answer: bool) -> Line:
    ready = answer and entry.state in {State.READY, State.DONE}
    return Line(
        name=entry.name,
        state=entry.state if answer else State.NOT_READY,
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
