"""A program's place in the stack: what is known of it from one moment to the next."""

import time
from dataclasses import dataclass
from pathlib import Path

from infra.native.child import Child
from infra.native.processes import identity_of
from infra.native.program import Program
from infra.standing import State


@dataclass(slots=True)
class Seat:
    """A program, its current process, and its history. Times are Unix seconds."""

    program: Program
    log: Path
    state: State = State.WAITING
    child: Child | None = None
    identity: str = ""
    ready_since: float | None = None
    restarts: int = 0
    crashes: int = 0  # in a row: since it was last healthy
    last_exit: int | None = None

    def begin(self) -> Child:
        """Start its process.

        Raises:
            OSError: it cannot be started.
        """
        self.child = Child(self.program, self.log)
        self.identity = identity_of(self.child.pid)
        self.state = State.STARTING
        return self.child

    def become_ready(self) -> None:
        """Its probe said so, or it ran to its end."""
        self.state = State.DONE if self.program.once else State.READY
        self.ready_since = time.time()

    def crash(self, exit_code: int | None) -> float:
        """It ended unasked: give the seconds to wait before the next start."""
        restarts = self.program.restarts
        healthy = self.ready_since is not None and time.time() - self.ready_since >= restarts.healthy_after_s
        self.crashes = 1 if healthy else self.crashes + 1
        self.state, self.ready_since, self.last_exit = State.RESTARTING, None, exit_code
        return restarts.backoff.delay_s(self.crashes)

    def end(self, state: State) -> None:
        """It has ended, and is to stay so."""
        self.state, self.ready_since = state, None
        self.last_exit = self.child.exit_code if self.child else self.last_exit

    @property
    def running(self) -> bool:
        """Whether it has a process."""
        return self.child is not None and self.child.exit_code is None
