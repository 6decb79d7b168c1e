"""What the supervisor says of itself and its programs, for those who ask from outside: `status.json`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from signal import Signals

from infra.native.processes import Trace
from infra.native.seat import Seat
from infra.standing import Phase, State


@dataclass(frozen=True, slots=True)
class Entry:
    """One program. `ready_since` is in Unix seconds; an exit code is negative for a signal."""

    name: str
    state: State
    once: bool
    pid: int | None
    identity: str
    ports: tuple[int, ...]
    ready_since: float | None
    restarts: int
    last_exit: int | None
    stop_signal: int

    @classmethod
    def of(cls, seat: Seat) -> "Entry":
        """Describe a program as it is now."""
        return cls(
            name=seat.program.name,
            state=seat.state,
            once=seat.program.once,
            pid=seat.child.pid if seat.child and seat.running else None,
            identity=seat.identity if seat.running else "",
            ports=seat.program.ports,
            ready_since=seat.ready_since,
            restarts=seat.restarts,
            last_exit=seat.last_exit,
            stop_signal=seat.program.stop_signal.value,
        )

    @property
    def trace(self) -> Trace | None:
        """What its process is found by later."""
        return Trace(self.name, self.pid, self.identity, Signals(self.stop_signal)) if self.pid else None


@dataclass(frozen=True, slots=True)
class Board:
    """The supervisor's word: the phase, every program, and after a failure the reason and the lines that explain it."""

    phase: Phase
    pid: int
    identity: str
    entries: tuple[Entry, ...] = ()
    reason: str = ""
    lines: tuple[str, ...] = field(default=())

    @classmethod
    def read(cls, path: Path) -> "Board | None":
        """Read what was written last, or nothing if there is nothing that can be read."""
        try:
            told = json.loads(path.read_text())
            entries = tuple(
                Entry(**entry | {"state": State(entry["state"]), "ports": tuple(entry["ports"])})
                for entry in told.pop("entries")
            )
            return cls(**told | {"phase": Phase(told["phase"]), "lines": tuple(told["lines"]), "entries": entries})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def write(self, path: Path) -> None:
        """Replace what was written before, at once and whole."""
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(self), indent=1))
        fresh.replace(path)

    @property
    def traces(self) -> tuple[Trace, ...]:
        """What its programs' processes are found by later."""
        return tuple(entry.trace for entry in self.entries if entry.trace)


def entries_of(seats: Sequence[Seat]) -> tuple[Entry, ...]:
    """Describe every program as it is now."""
    return tuple(Entry.of(seat) for seat in seats)
