"""`python -m tests`: every suite, in lanes side by side, because each of them mostly waits for servers and programs.

The integration suite runs on native servers and, where a Docker engine answers, in containers as well. More lanes would
be no faster: with the processors busy all tests look more often at what they wait for. The exit code is that of
whichever suite went wrong.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import IO, TypeAlias

from infra.home import REPOSITORY
from tests.integration import engine

NOT_EXERCISED = "quartet: no Docker engine answers, so Docker mode was not exercised"
SERVERS = {False: ("native",), True: ("native", "containers")}
"""Where the integration suite runs, by whether a Docker engine answers."""

Suite: TypeAlias = tuple[str, ...]
"""What pytest is told."""
Ran: TypeAlias = tuple[int, IO[str]]
"""The exit code, and what was printed."""


def main() -> int:
    """Run them all."""
    contained = engine.answers()
    lanes = tuple(lanes_on(SERVERS[contained]))
    with ThreadPoolExecutor(len(lanes)) as running:
        rest = running.map(run_one_by_one, lanes)
        # It takes longest, and is printed while it runs; what the others printed is shown when they are through.
        code = _pytest(("tests/e2e",))
        codes = [code, *map(_shown, chain.from_iterable(rest))]
    if not contained:
        print(NOT_EXERCISED)  # noqa: T201 - a command line prints
    return next((code for code in codes if code), 0)


def lanes_on(servers: Sequence[str]) -> Iterator[Sequence[Suite]]:
    """Give the lanes beside the end-to-end tests."""
    yield [("tests/unit",), ("tests/simulation",), *(("tests/integration", f"--servers={where}", "-m", "not outage") for where in servers)]
    yield [("tests/integration", f"--servers={where}", "-m", "outage") for where in servers]


def run_one_by_one(lane: Sequence[Suite]) -> list[Ran]:
    """Run the suites of a lane."""
    ran: list[Ran] = []
    for suite in lane:
        printed = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it is read and closed by who shows it
        ran.append((_pytest(suite, printed), printed))
    return ran


def _pytest(suite: Suite, printed: IO[str] | None = None) -> int:
    command = [sys.executable, "-m", "pytest", *suite]
    return subprocess.run(command, cwd=REPOSITORY, stdout=printed, stderr=printed, check=False).returncode


def _shown(ran: Ran) -> int:
    code, printed = ran
    with printed:
        printed.seek(0)
        sys.stdout.write(printed.read())
        sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main())
