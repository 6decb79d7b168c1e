"""The way without Docker: a supervisor runs the programs on this machine."""

import asyncio
import sys
from collections.abc import Iterator
from itertools import chain

from infra.credentials import Credentials
from infra.failure import StackError
from infra.home import Home
from infra.native import lifecycle
from infra.native.install import MISSING, find
from infra.native.presence import present
from infra.native.reading import follow as growing
from infra.native.reading import merged
from infra.native.stack import Stack
from infra.native.standing import look
from infra.native.supervisor import Supervisor
from infra.run import Run, is_called
from infra.screen import Screen
from infra.standing import Standing


class NativeRunner:
    """Runs the stack of a checkout as processes of this machine."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def up(self, scale: int, screen: Screen) -> bool:
        """Start the supervisor."""
        if scale > 1 and sys.platform != "linux":
            raise StackError("only Linux shares a port among processes: SCALE needs MODE=docker here")
        return lifecycle.up(self._home, scale, screen)

    def runs(self) -> bool:
        """Tell whether there is a supervisor."""
        return present(self._home.pid_file) is not None

    def down(self, screen: Screen) -> bool:
        """End the supervisor."""
        return lifecycle.down(self._home, screen)

    def reset(self, screen: Screen) -> None:
        """End it and delete what its programs kept."""
        lifecycle.reset(self._home, screen)

    def standing(self, memory: bool = False) -> Standing:  # noqa: ARG002 - the kernel tells of memory at no cost
        """Ask the supervisor, and each program."""
        return look(self._home, self._scale)

    def logs(self, name: str, lines: int, follow: bool) -> Iterator[str]:
        """Read the files that the programs write to."""
        files = sorted(self._home.logs.glob("*.log")) if self._home.logs.exists() else []
        chosen = [file for file in files if is_called(file.stem, name)]
        if not chosen:
            known = ", ".join(file.stem for file in files) or "none yet"
            raise StackError(f"there is no log of {name or 'any program'}; known: {known}")
        return chain(merged(chosen, lines), growing(chosen) if follow else ())

    def migrate(self) -> None:
        """Run the migrations with a supervisor of their own."""
        installed = find()
        if installed is None:
            raise StackError(MISSING)
        migrations = Stack(self._home, Credentials.read(self._home.secrets), installed).migrations()
        asyncio.run(Supervisor(migrations, self._home.logs, lambda: None).start())

    @property
    def _scale(self) -> int:
        run = Run.read(self._home.running)
        return run.scale if run else 1
