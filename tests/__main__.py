"""`python -m tests`: every suite, side by side, because each of them mostly waits for servers and programs.

The integration suite runs on native servers and, where a Docker engine answers, in containers as well, each time in two
halves with servers of their own. The exit code is that of whichever went wrong.
"""

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import IO

from infra.home import REPOSITORY
from tests.integration import engine

NOT_EXERCISED = "quartet: no Docker engine answers, so Docker mode was not exercised"
SERVERS = {False: ("native",), True: ("native", "containers")}
"""Where the integration suite runs, by whether a Docker engine answers."""
HALVES = ("outage", "not outage")
UNIT = ("tests/unit",)
SHOWN = "tests/e2e"
"""What takes longest, and is printed while it runs; what the others printed is shown when they are through."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A run of pytest, and the file that it prints to."""

    process: subprocess.Popen[bytes]
    printed: IO[str]

    def ended(self) -> int:
        """Wait for its end, show what it printed, and give its exit code."""
        code = self.process.wait()
        self.printed.seek(0)
        sys.stdout.write(self.printed.read())
        sys.stdout.flush()
        return code


def main() -> int:
    """Run them all."""
    contained = engine.answers()
    integration = [
        ("tests/integration", f"--servers={where}", "-m", half) for where in SERVERS[contained] for half in HALVES
    ]
    suites = [begin(*arguments) for arguments in (UNIT, *integration)]
    code = subprocess.run([sys.executable, "-m", "pytest", SHOWN], cwd=REPOSITORY, check=False).returncode
    codes = [code, *(suite.ended() for suite in suites)]
    if not contained:
        print(NOT_EXERCISED)  # noqa: T201 - a command line prints
    return next((code for code in codes if code), 0)


def begin(*arguments: str) -> Suite:
    """Begin a run of pytest."""
    printed = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it is closed with this process
    command = (sys.executable, "-m", "pytest", *arguments)
    return Suite(subprocess.Popen(command, cwd=REPOSITORY, stdout=printed, stderr=subprocess.STDOUT), printed)


if __name__ == "__main__":
    sys.exit(main())
