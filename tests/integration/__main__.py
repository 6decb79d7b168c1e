"""`python -m tests.integration`: the suite on native servers and, where a Docker engine answers, in containers as well.

Both run side by side, because both mostly wait for servers. The exit code is that of whichever went wrong.
"""

import subprocess
import sys
import tempfile
from typing import IO

from infra.home import REPOSITORY
from tests.integration import engine

NOT_EXERCISED = "quartet: no Docker engine answers, so Docker mode was not exercised"


def main() -> int:
    """Run, and show what the second one printed once the first is through."""
    with tempfile.TemporaryFile("w+") as printed:
        contained = _begin("containers", printed) if engine.answers() else None
        native = _begin("native", None).wait()
        if contained is None:
            print(NOT_EXERCISED)  # noqa: T201 - a command line prints
            return native
        code = contained.wait()
        printed.seek(0)
        sys.stdout.write(printed.read())
        return native or code


def _begin(servers: str, output: IO[str] | None) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-m", "pytest", "tests/integration", f"--servers={servers}")
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=output, stderr=subprocess.STDOUT if output else None)


if __name__ == "__main__":
    sys.exit(main())
