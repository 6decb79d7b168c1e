"""Processes of an earlier run: telling them from strangers that were given their numbers, and ending them."""

import contextlib
import os
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import SIGCONT, SIGKILL, Signals

PROC = Path("/proc")
START_TICKS_FIELD = 22  # proc(5), /proc/[pid]/stat
POLL_S = 0.05


@dataclass(frozen=True, slots=True)
class Trace:
    """What an earlier run wrote down of a process: enough to find it again, and nothing but it."""

    name: str
    pid: int
    identity: str
    stop_signal: Signals


def identity_of(pid: int) -> str:
    """Say which process has this number: the boot and the moment it began at. Empty if there is none.

    A number is given out again, after a reboot soon; number and identity together never are.
    """
    if sys.platform != "linux":
        return _identity_by_psutil(pid)
    try:
        stat = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return ""
    state, *rest = stat.rpartition(") ")[2].split()  # the name before may hold spaces and parentheses
    return "" if state in {"Z", "X"} else f"{_boot()}:{rest[START_TICKS_FIELD - 4]}"


def _boot() -> str:
    with contextlib.suppress(OSError):  # some sandboxes have none
        return (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return ""


def _identity_by_psutil(pid: int) -> str:
    import psutil  # only where there is no /proc: it would cost the supervisor memory

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else str(process.create_time())
    except psutil.NoSuchProcess:
        return ""


def alive(trace: Trace) -> bool:
    """Tell whether it still runs."""
    return bool(trace.identity) and identity_of(trace.pid) == trace.identity


def end(traces: Collection[Trace], timeout_s: float) -> None:
    """Ask them to end, all at once; after `timeout_s` kill them; wait until they are gone.

    Raises:
        TimeoutError: SIGKILL did not end one within `timeout_s` either.
    """
    for trace in traces:
        _send(trace, trace.stop_signal)
        _send(trace, SIGCONT)
    if not gone(traces, timeout_s):
        for trace in traces:
            _send(trace, SIGKILL)
        if not gone(traces, timeout_s):
            names = ", ".join(f"{trace.name} (pid {trace.pid})" for trace in traces if alive(trace))
            raise TimeoutError(f"cannot be ended: {names}")


def working_in(directory: Path, names: Collection[str]) -> Iterator[int]:
    """Give the processes that work in a directory and are called so: a server's own, whoever still knows of them.

    The names keep a shell out that a person has left there.
    """
    if sys.platform != "linux":
        return
    for entry in PROC.iterdir():
        with contextlib.suppress(OSError):
            if (
                entry.name.isdigit()
                and (entry / "cwd").readlink() == directory
                and (entry / "comm").read_text().strip() in names
            ):
                yield int(entry.name)


def gone(traces: Collection[Trace], timeout_s: float) -> bool:
    """Wait until they have all ended; tell whether they had within `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while any(alive(trace) for trace in traces):
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _send(trace: Trace, signal: Signals) -> None:
    if alive(trace):
        with contextlib.suppress(ProcessLookupError):
            os.kill(trace.pid, signal)
