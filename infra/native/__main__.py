"""The supervisor's process: `python -m infra.native SCALE`, started by `make up` and ended by `make down`."""

import asyncio
import contextlib
import logging
import os
import sys
import time
from dataclasses import replace
from signal import SIGHUP, SIGINT, SIGTERM

from infra.credentials import Credentials
from infra.failure import StackError
from infra.home import Home
from infra.native.board import Board, entries_of
from infra.native.install import MISSING, find
from infra.native.logs import cut, log_file
from infra.native.presence import presence
from infra.native.processes import identity_of
from infra.native.stack import Stack
from infra.native.supervisor import Supervisor
from infra.standing import Phase

LOGS_CUT_EVERY_S = 30.0

logger = logging.getLogger("quartet.supervisor")


class Daemon:
    """Brings the stack up, keeps it so until told to stop, and writes down how it stands."""

    def __init__(self, stack: Stack) -> None:
        self._home = stack.home
        self._board = Board(Phase.STARTING, os.getpid(), identity_of(os.getpid()))
        self._supervisor = Supervisor(stack.programs(), stack.home.logs, self._write)
        self._told_to_stop = asyncio.Event()

    async def run(self) -> int:
        """Run until SIGTERM, or until the start fails; give the exit code."""
        loop = asyncio.get_running_loop()
        for signal in (SIGTERM, SIGINT, SIGHUP):
            loop.add_signal_handler(signal, self._told_to_stop.set)
        self._write()
        failure: StackError | None = None
        try:
            await self._start()
            while not self._told_to_stop.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._told_to_stop.wait(), LOGS_CUT_EVERY_S)
                self._cut_logs()
        except StackError as error:
            failure = error
        finally:
            self._enter(Phase.STOPPING)
            await self._supervisor.stop()
        self._enter(Phase.FAILED if failure else Phase.DOWN, failure)
        return 2 if failure else 0

    async def _start(self) -> None:
        starting = asyncio.create_task(self._supervisor.start())
        stopping = asyncio.create_task(self._told_to_stop.wait())
        await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            stopping.cancel()
            starting.result()
            self._enter(Phase.UP)
        else:
            starting.cancel()
            await asyncio.wait([starting])

    def _enter(self, phase: Phase, failure: StackError | None = None) -> None:
        logger.info("the stack is %s", phase)
        lines = failure.lines if failure else ()
        self._board = replace(self._board, phase=phase, reason=str(failure or ""), lines=lines)
        self._write()

    def _write(self) -> None:
        replace(self._board, entries=entries_of(self._supervisor.seats)).write(self._home.board)

    def _cut_logs(self) -> None:
        for name in ("supervisor", *(seat.program.name for seat in self._supervisor.seats)):
            cut(log_file(self._home.logs, name))


def main(scale: int) -> int:
    """Run the stack of this checkout, each service `scale` times."""
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(level=logging.INFO, format="%(asctime)sZ %(levelname)s %(message)s", stream=sys.stderr)
    home = Home.locate()
    try:
        with presence(home.pid_file):
            installed = find()
            if installed is None:
                raise StackError(MISSING)  # noqa: TRY301 - one way out for every reason not to start
            stack = Stack(home, Credentials.read(home.secrets), installed, scale)
            return asyncio.run(Daemon(stack).run())
    except StackError as error:
        logger.error("%s", error)  # noqa: TRY400 - a sentence for a person, who has no use for a traceback
        return 2


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
