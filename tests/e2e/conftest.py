"""The whole stack, as a user has it: a fresh copy of the repository in an empty folder, and `make`; in either mode."""

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from infra.credentials import Credentials
from infra.docker.engine import why_not
from infra.home import Home
from infra.native.running import scratch
from infra.run import Mode

REPOSITORY = Path(__file__).resolve().parents[2]
RUNTIME = ".venv/.runtime"
COMMAND_TIMEOUT_S = 900.0
"""The first `make up` installs every dependency, or builds the image."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A fresh copy of the repository, and what a user types in it who wants one mode."""

    path: Path
    mode: Mode
    scale: int = 1

    def type(self, command: str, exit_code: int = 0) -> str:
        """Run a command as a shell would, and insist on its exit code; give what it printed."""
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.path,
            env=_of_a_user() | {"MODE": self.mode},
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        assert done.returncode == exit_code, f"{command}: exit code {done.returncode}\n{done.stdout}"
        return done.stdout

    @property
    def operator_key(self) -> str:
        """The operator's key of its stack."""
        return Credentials.read(Home(self.path / ".quartet").secrets).operator_key

    def begin_anew(self) -> None:
        """End what another test has left running, if any did, and its data: the copy is fresh again."""
        if (self.path / ".quartet").exists():
            self.type("make reset")

    def status(self) -> dict[str, Any]:
        """Read how the stack stands; all of it is ready."""
        told: dict[str, Any] = json.loads(self.type(".venv/bin/quartet status --json"))
        return told


def _of_a_user() -> dict[str, str]:
    """The environment of a shell that has to do with no other checkout."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("QUARTET_", "VIRTUAL_ENV", "MAKE", "PYTHONPATH"))}


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


def _lend(copy: Path) -> None:
    """Lend the copy what `make load` and the like would install first: `make test` has just done that, here."""
    (packages,) = (copy / ".venv" / "lib").glob("python3.*/site-packages")
    (packages / "lent.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    (copy / ".venv" / ".development").touch()


@pytest.fixture(scope="session")
def copied() -> Iterator[Path]:
    """A fresh copy of the repository, one for both modes: what is installed in it is the same."""
    with scratch() as directory:
        _copy(directory)
        subprocess.run(["make", RUNTIME], cwd=directory, env=_of_a_user(), check=True, timeout=COMMAND_TIMEOUT_S)
        _lend(directory)
        yield directory


@pytest.fixture(scope="session", params=[Mode.NATIVE, Mode.DOCKER])
def checkout(copied: Path, request: pytest.FixtureRequest) -> Iterator[Checkout]:
    """The copy, used in one mode; whatever runs in it is stopped at the end, and nothing is left."""
    checkout = Checkout(copied, request.param)
    if checkout.mode is Mode.DOCKER and (reason := why_not()):
        pytest.skip(f"Docker mode was not exercised: {reason}")
    try:
        yield checkout
    finally:
        checkout.type("make reset")


def on(*stacks: tuple[Mode, int]) -> pytest.MarkDecorator:
    """Run a test on stacks, each of a mode and a SCALE; tests on the same one share it."""
    ids = [f"{mode} SCALE={scale}" for mode, scale in stacks]
    return pytest.mark.parametrize(("checkout", "stack"), stacks, indirect=True, scope="session", ids=ids)


@pytest.fixture(scope="session")
def stack(checkout: Checkout, request: pytest.FixtureRequest) -> Iterator[Checkout]:
    """The same, up, with every service so many times: a test says in which mode, and how many, with `on`."""
    checkout.type("make down")
    checkout.type(f"make up SCALE={request.param}")
    yield replace(checkout, scale=request.param)
    checkout.type("make down")
