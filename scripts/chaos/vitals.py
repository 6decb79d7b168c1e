"""What each program holds from one experiment to the next: memory and open files, which must not grow for ever."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from time import time

import psutil

from infra.runner import Runner
from infra.standing import Line

MEBIBYTE = 1024 * 1024
LIFE_S = 5.0
"""So exactly is known when a life began, from how long it has lasted."""


@dataclass(frozen=True, slots=True)
class Vital:
    """A look at one life of a program; `files` is None where its process is not one of this machine."""

    program: str
    life: int
    """When it began, in units of LIFE_S: each life of the program has another."""
    memory_mb: int
    files: int | None


@dataclass(frozen=True, slots=True)
class Growth:
    """The longest life of a program that was looked at, from its first look to its last."""

    program: str
    looks: int
    first: Vital
    last: Vital


def look(runner: Runner) -> list[Vital]:
    """Look at every program that runs; it may take seconds.

    Raises:
        StackError: the stack cannot be asked.
    """
    lines = runner.standing(memory=True).programs
    return [_vital(line, line.uptime_s, line.memory_bytes) for line in lines if line.uptime_s and line.memory_bytes]


def growths(vitals: Sequence[Vital]) -> list[Growth]:
    """Say how each program grew, in its longest life; the looks are in their order."""
    lives: defaultdict[str, defaultdict[int, list[Vital]]] = defaultdict(lambda: defaultdict(list))
    for vital in vitals:
        lives[vital.program][vital.life].append(vital)
    longest = {program: max(looks.values(), key=len) for program, looks in lives.items()}
    return [Growth(program, len(looks), looks[0], looks[-1]) for program, looks in longest.items()]


def _vital(line: Line, uptime_s: float, memory_bytes: int) -> Vital:
    files = None
    if line.pid:
        with suppress(psutil.Error):
            files = psutil.Process(line.pid).num_fds()
    return Vital(line.name, round((time() - uptime_s) / LIFE_S), memory_bytes // MEBIBYTE, files)
