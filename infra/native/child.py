"""One process that this one started: the only kind that is ever signalled."""

import asyncio
import ctypes
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from signal import SIGCONT, SIGKILL, Signals

from infra.native.program import Program

PR_SET_PDEATHSIG = 1  # linux/prctl.h
EXIT_POLL_S = 0.2  # only where the kernel cannot tell of an exit (no pidfd: macOS, Linux before 5.3)
KILL_TIMEOUT_S = 10.0  # between SIGKILL and the end; only a process stuck in the kernel takes longer

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Child:
    """A running program. Its methods may be called from any event loop, one after another."""

    def __init__(self, program: Program, log: Path) -> None:
        """Start it, its output appended to `log`.

        Call this from the main thread: the kernel takes the end of the *thread* that forked for the death of
        the parent (prctl(2), PR_SET_PDEATHSIG).

        Raises:
            OSError: it cannot be started.
        """
        if program.prepare:
            program.prepare()
        owner = program.owner
        with log.open("ab") as output:
            self.log_offset = output.tell()
            self._process = subprocess.Popen(
                program.argv,
                env=program.env,
                cwd=program.cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=owner.uid if owner else None,
                group=owner.gid if owner else None,
                extra_groups=[] if owner else None,
                preexec_fn=_ends_with_parent(program.orphan_signal),
            )
        self.pid = self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code, negative for a signal, or nothing while it runs."""
        return self._process.poll()

    def send(self, signal: Signals) -> None:
        """Signal it, unless it has ended."""
        self._process.send_signal(signal)

    async def exited(self) -> int:
        """Wait for its end and give the exit code, negative for a signal."""
        if self._process.poll() is None:
            await _end_of(self.pid, self._process)
        return self._process.wait()

    async def stop(self, signal: Signals, timeout_s: float) -> int:
        """Ask it to end; when it has not after `timeout_s`, kill it with its process group.

        Raises:
            TimeoutError: not even SIGKILL ended it.
        """
        self.send(signal)
        self.send(SIGCONT)  # a frozen process would not notice
        try:
            return await asyncio.wait_for(self.exited(), timeout_s)
        except TimeoutError:
            return await self.kill()

    async def kill(self) -> int:
        """Kill it and its process group, and wait for its end.

        Raises:
            TimeoutError: not even SIGKILL ended it.
        """
        if self._process.poll() is None:  # unreaped, so the number of the group is still its own
            os.killpg(self.pid, SIGKILL)
        return await asyncio.wait_for(self.exited(), KILL_TIMEOUT_S)


def _ends_with_parent(signal: Signals) -> Callable[[], None] | None:
    """Give what the child runs between fork and exec, after its change of user (which clears the setting)."""
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def ask_kernel() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.value, 0, 0, 0)
        if os.getppid() != parent:  # it died in between: nobody would tell us
            os._exit(1)

    return ask_kernel


async def _end_of(pid: int, process: subprocess.Popen[bytes]) -> None:
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        while process.poll() is None:  # noqa: ASYNC110 - there is no event to wait for, which is why it asks
            await asyncio.sleep(EXIT_POLL_S)
        return
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(descriptor, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
