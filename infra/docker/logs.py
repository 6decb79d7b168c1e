"""What the containers of a project wrote, several as one, by the times that the engine noted."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

from infra.docker.containers import containers_of
from infra.docker.engine import ask, printed_by
from infra.docker.project import Project
from infra.failure import StackError
from infra.ports import SERVICES
from infra.run import is_called, replica_names

LINE = re.compile(r"(?:\x1b\[\d*K)?(?P<service>\S+)-(?P<number>\d+)\s+\| (?P<at>\S+Z) ?(?P<text>.*)")
"""As `docker compose logs --timestamps` prints it: `order-1  | 2026-01-02T03:04:05.678901234Z text`,
after a code that wipes the line even where there is no terminal."""


@dataclass(frozen=True, slots=True)
class Written:
    """A line that a program wrote; `at` is UTC, and sorts as text."""

    at: str
    program: str
    text: str


def read_logs(project: Project, name: str, scale: int, lines: int, follow: bool) -> Iterator[str]:
    """Give the last `lines` of one program, or of all in the order of their times; then what comes, if asked.

    Raises:
        StackError: there is no such program.
    """
    programs = {
        program: service
        for service in project.programs
        for program in replica_names(service, scale if service in SERVICES else 1)
        if is_called(program, name)
    }
    if not programs:
        raise StackError(f"there is no log of {name}; known: {', '.join(project.programs)}")
    until = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    services = sorted(set(programs.values()))
    asked = project.known("logs", "--no-color", "--timestamps")
    printed = ask(*asked, "--tail", str(lines), "--until", until, *services).splitlines()
    last = sorted(_parsed(printed, programs, scale), key=lambda line: line.at)[-lines:] if lines else []
    coming = _parsed(printed_by(*asked, "--since", until, "--follow", *services), programs, scale) if follow else ()
    width = max(map(len, programs))
    return (f"{line.program:{width}} | {line.text}" if len(programs) > 1 else line.text for line in chain(last, coming))


def whole_logs(project: Project) -> Iterator[tuple[str, Iterator[str]]]:
    """Give what the engine has kept of each container's output: the container, and its lines as they are asked for.

    Raises:
        StackError: the engine does not answer, or keeps nothing that can be read.
    """
    for one in containers_of(project):
        yield f"{one.service}-{one.number}", (f"{line}\n" for line in printed_by("logs", one.id))


def _parsed(printed: Iterable[str], programs: Iterable[str], scale: int) -> Iterator[Written]:
    for line in printed:
        if found := LINE.match(line):
            replicated = scale > 1 and found["service"] in SERVICES
            program = f"{found['service']}-{found['number']}" if replicated else found["service"]
            if program in programs:
                yield Written(found["at"], program, found["text"])
