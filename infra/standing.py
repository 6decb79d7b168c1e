"""How the stack stands, in the words of both ways of running it."""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where the stack as a whole stands."""

    STARTING = "starting"
    UP = "up"
    STOPPING = "stopping"
    DOWN = "down"
    FAILED = "failed"  # and stopped


class State(StrEnum):
    """Where a program stands."""

    WAITING = "waiting"  # for what it needs
    STARTING = "starting"
    READY = "ready"
    NOT_READY = "not ready"  # it runs, and does not answer as it should
    DONE = "done"  # ran once, to the end
    RESTARTING = "restarting"  # crashed, and waits out its delay
    STOPPING = "stopping"
    STOPPED = "stopped"
    FAILED = "failed"
    MISSING = "missing"  # somebody took it away


@dataclass(frozen=True, slots=True)
class Line:
    """One program. Memory is what it and its children hold; `pid` is None where there is no process of this machine."""

    name: str
    state: State
    pid: int | None
    uptime_s: float | None
    restarts: int
    last_exit: int | None
    ports: tuple[int, ...]
    memory_bytes: int | None
    ready: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """The whole stack; `data` says where PostgreSQL's data is."""

    phase: Phase
    programs: tuple[Line, ...]
    data: str

    @property
    def ready(self) -> bool:
        """Whether everything is as it should be."""
        return self.phase is Phase.UP and all(line.ready for line in self.programs)

    @property
    def missing(self) -> tuple[str, ...]:
        """What is not ready."""
        return tuple(line.name for line in self.programs if not line.ready)
