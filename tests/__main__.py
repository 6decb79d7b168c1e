"""`python -m tests`: every suite and `make lint`, a few side by side, because most of them mostly wait for servers and
programs; with `unit`, lint and the unit tests alone.

The integration suite runs on native servers and, where a Docker engine answers, in containers as well. More at once
would be no faster: with the processors busy all tests look more often at what they wait for. The exit code is that of
whichever suite went wrong.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TypeAlias

from infra.home import REPOSITORY
from tests.integration import engine

NOT_EXERCISED = "quartet: no Docker engine answers, so Docker mode was not exercised"
SERVERS = {False: ("native",), True: ("native", "containers")}
"""Where the integration suite runs, by whether a Docker engine answers."""
AT_ONCE_MAX = 4

Suite: TypeAlias = tuple[str, ...]
"""What is typed."""
Ran: TypeAlias = tuple[int, IO[str] | None]
"""The exit code, and what was printed where nobody saw it."""
PYTEST: Suite = (sys.executable, "-m", "pytest")
END_TO_END: Suite = (*PYTEST, "tests/e2e")
LINT: Suite = (os.environ.get("MAKE", "make"), "lint")
HALF = ("tests/unit/shared", "tests/unit/services", "tests/unit/scripts")
UNIT: tuple[Suite, ...] = ((*PYTEST, "tests/unit", *(f"--ignore={each}" for each in HALF)), (*PYTEST, *HALF))
"""In two parts that take about as long, for two processors."""


def main(*which: str) -> int:
    """Run them all, or what needs no servers."""
    if which == ("unit",):
        return _run((LINT, *UNIT))
    contained = engine.answers()
    code = _run(suites_on(SERVERS[contained]))
    if not contained:
        print(NOT_EXERCISED)  # noqa: T201 - a command line prints
    return code


def _run(suites: Iterable[Suite]) -> int:
    with ThreadPoolExecutor(AT_ONCE_MAX) as running:
        codes = list(map(_shown, running.map(run, suites)))
    return next((code for code in codes if code), 0)


def suites_on(servers: Sequence[str]) -> Iterator[Suite]:
    """Give the suites, after `make lint` those that take longest first: whoever is through takes the next."""
    yield LINT
    yield END_TO_END
    for where in servers:
        for which in ("not outage", "outage"):
            yield (*PYTEST, "tests/integration", f"--servers={where}", "-m", which)
    yield (*PYTEST, "tests/unit", "tests/simulation")


def run(suite: Suite) -> Ran:
    """Run a suite; what the first one prints is seen while it runs, and what the others print when they are through."""
    printed = None if suite in (END_TO_END, UNIT[0]) else tempfile.TemporaryFile("w+")  # noqa: SIM115 - who shows it closes it
    done = subprocess.run(suite, cwd=REPOSITORY, stdout=printed, stderr=printed, check=False)
    return done.returncode, printed


def _shown(ran: Ran) -> int:
    code, printed = ran
    if printed is not None:
        with printed:
            printed.seek(0)
            sys.stdout.write(printed.read())
            sys.stdout.flush()
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
