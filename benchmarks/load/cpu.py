"""Where the processor's time goes while the load lasts: the programs of the stack, this program, and everybody else."""

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

from infra.home import Home
from infra.native.board import Board

OURSELVES = "load generator"


@dataclass(frozen=True, slots=True)
class Shares:
    """Processor time of a span, in cores: 1.0 is one core, all of the time."""

    programs: Mapping[str, float]
    """The busiest first. Without those of the stack where they are not started natively."""
    elsewhere: float
    """What else ran on the machine."""
    cores: int

    @property
    def busy(self) -> float:
        """How many cores were busy, with whatever it was."""
        return sum(self.programs.values()) + self.elsewhere


class Watch:
    """Takes a first reading when it is made."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._machine_s = _machine_s()
        self._used_s = {process: _used_s(process) for process in _processes().values()}

    def shares(self) -> Shares:
        """Say what was used since then; of a program that was started anew meanwhile, since its start."""
        span_s = time.monotonic() - self._began_s
        used = {
            name: max(0.0, _used_s(process) - self._used_s.get(process, 0.0)) / span_s
            for name, process in _processes().items()
        }
        programs = dict(sorted(used.items(), key=lambda pair: -pair[1]))
        elsewhere = max(0.0, (_machine_s() - self._machine_s) / span_s - sum(used.values()))
        return Shares(programs, elsewhere, psutil.cpu_count() or 1)


def _processes() -> dict[str, psutil.Process]:
    board = Board.read(Home.locate().board)
    processes = {OURSELVES: psutil.Process()}
    for entry in board.entries if board else ():
        with contextlib.suppress(psutil.NoSuchProcess):
            if entry.pid:
                processes[entry.name] = psutil.Process(entry.pid)
    return processes


def _used_s(process: psutil.Process) -> float:
    total_s = 0.0
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total_s += times.user + times.system
    return total_s


def _machine_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0))
