"""RabbitMQ from the system: found where packages put it, or installed where that is possible."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.failure import StackError

SERVER_PLACES = (
    Path("/usr/lib/rabbitmq/bin"),  # Debian, Fedora
    Path("/opt/homebrew/opt/rabbitmq/sbin"),
    Path("/usr/local/opt/rabbitmq/sbin"),
    Path("/opt/rabbitmq/sbin"),  # the official image, the generic tarball
)
EPMD_PLACES = (
    Path("/usr/bin"),
    Path("/usr/lib/erlang/bin"),
    Path("/usr/lib64/erlang/bin"),
    Path("/opt/homebrew/bin"),
    Path("/opt/homebrew/opt/erlang/lib/erlang/bin"),
    Path("/usr/local/bin"),
    Path("/usr/local/lib/erlang/bin"),
)
PACKAGE = "rabbitmq-server"
MISSING = (
    f"RabbitMQ is missing: type `sudo apt-get install {PACKAGE}` (macOS: `brew install rabbitmq`), then this again"
)
POLICY = Path("/usr/sbin/policy-rc.d")  # asked by Debian's packages before they start a service
FORBIDDEN = "#!/bin/sh\nexit 101\n"
LOG_LINES = 15


@dataclass(frozen=True, slots=True)
class Installed:
    """The two programs of a RabbitMQ."""

    server: Path
    epmd: Path


def find() -> Installed | None:
    """Find them; a wrapper that brings settings of its own, such as Debian's in `/usr/sbin`, does not count."""
    on_path = shutil.which(PACKAGE)
    places = [*SERVER_PLACES, *([Path(on_path).resolve().parent] if on_path else [])]
    server = next((place / PACKAGE for place in places if _is_server(place / PACKAGE)), None)
    epmd_places = [*(Path(place) for place in os.get_exec_path()), *EPMD_PLACES]
    epmd = next((place / "epmd" for place in epmd_places if os.access(place / "epmd", os.X_OK)), None)
    return Installed(server, epmd) if server and epmd else None


def find_or_install(say: Callable[[str], None], murmur: Callable[[str], None]) -> Installed:
    """Find RabbitMQ, and install it first where that takes no password.

    `say` is told of each step, and `murmur` what the package manager prints meanwhile.

    Raises:
        StackError: it is missing and cannot be installed from here.
    """
    if found := find():
        return found
    apt_get = shutil.which("apt-get")
    if os.geteuid() != 0 or apt_get is None:
        raise StackError(MISSING)
    with _no_service_started():
        say("RabbitMQ is missing: installing the system's package")
        _apt_get(apt_get, ["update"], murmur)
        _apt_get(apt_get, ["install", "-y", "--no-install-recommends", PACKAGE], murmur)
    _disable_service()
    if found := find():
        return found
    raise StackError(MISSING)


def _is_server(script: Path) -> bool:
    """Tell the real script from a wrapper: beside it lies the one that it reads its settings from."""
    return os.access(script, os.X_OK) and (script.parent / "rabbitmq-env").exists()


def _apt_get(apt_get: str, arguments: list[str], murmur: Callable[[str], None]) -> None:
    lines: list[str] = []
    with subprocess.Popen(
        [apt_get, "-q", *arguments],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            lines.append(line.rstrip())
            murmur(lines[-1])
    if process.returncode:
        raise StackError(f"apt-get {arguments[0]} failed: {MISSING}", tuple(lines[-LOG_LINES:]))


@contextlib.contextmanager
def _no_service_started() -> Iterator[None]:
    """Keep the package from starting its own node and epmd, unless the machine has a policy of its own."""
    ours = not POLICY.exists()
    if ours:
        POLICY.write_text(FORBIDDEN)
        POLICY.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY.unlink()


def _disable_service() -> None:
    """Keep them from starting with the machine: what Quartet installs is for Quartet's own node."""
    systemctl = shutil.which("systemctl")
    if systemctl and Path("/run/systemd/system").is_dir():
        for unit in ("rabbitmq-server.service", "epmd.service", "epmd.socket"):
            subprocess.run([systemctl, "disable", "--now", unit], capture_output=True, check=False)
