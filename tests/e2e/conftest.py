"""The whole stack, as a user has it: a fresh copy of the repository in an empty folder, and `make`."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.native.running import scratch

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND_TIMEOUT_S = 420.0
"""The first `make up` installs every dependency."""


class Checkout:
    """A fresh copy of the repository, and what a user types in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def type(self, command: str, exit_code: int = 0) -> str:
        """Run a command as a shell would, and insist on its exit code; give what it printed."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("QUARTET_", "VIRTUAL_ENV", "MAKE"))}
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.path,
            env=environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == exit_code, f"{command}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout


def _copy(to: Path) -> None:
    """Copy what git tracks or would track: what a clone would hold once it is committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, to / name)


@pytest.fixture(scope="session")
def checkout() -> Iterator[Checkout]:
    """A fresh copy of the repository; whatever runs in it is stopped at the end."""
    with scratch() as directory:
        checkout = Checkout(directory)
        _copy(directory)
        try:
            yield checkout
        finally:
            checkout.type("make reset")


@pytest.fixture(scope="session")
def stack(checkout: Checkout) -> Checkout:
    """The same, up."""
    checkout.type("make up")
    return checkout
