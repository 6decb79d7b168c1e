"""The state directory: the one place where everything is kept that outlives a process."""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]

PRIVATE = 0o700
WALKABLE = 0o711  # others may walk through to what is theirs, and see nothing on the way


@dataclass(frozen=True, slots=True)
class Home:
    """`.quartet/` beside the code, or where `QUARTET_HOME` says."""

    path: Path

    @classmethod
    def locate(cls) -> "Home":
        """Find it; it need not exist."""
        return cls(Path(os.environ.get("QUARTET_HOME") or REPOSITORY / ".quartet").absolute())

    @property
    def secrets(self) -> Path:
        """Passwords and keys, as lines `NAME=value`."""
        return self.path / "secrets.env"

    @property
    def logs(self) -> Path:
        """`<name>.log` of every program."""
        return self.path / "logs"

    @property
    def running(self) -> Path:
        """Which way the stack was brought up, and with how many replicas."""
        return self.path / "running.json"

    @property
    def docker_log(self) -> Path:
        """What Docker printed at its last work for us."""
        return self.path / "docker.log"

    @property
    def lock(self) -> Path:
        """Held by the command that is changing the stack."""
        return self.path / "lock"

    @property
    def pid_file(self) -> Path:
        """The supervisor's number; locked by it for as long as it lives, so it cannot be stale unnoticed."""
        return self.path / "supervisor.pid"

    @property
    def board(self) -> Path:
        """What the supervisor says of itself and of every program."""
        return self.path / "status.json"

    @property
    def rabbitmq(self) -> Path:
        """RabbitMQ's configuration and data."""
        return self.path / "rabbitmq"

    @property
    def topology_looked(self) -> Path:
        """When the topology was last looked at."""
        return self.path / "topology.looked"

    @property
    def provider_ledger(self) -> Path:
        """The payment provider's own books."""
        return self.path / "provider" / "ledger.sqlite"

    @property
    def mail(self) -> Path:
        """The mails that arrived."""
        return self.path / "mail"

    @property
    def postgres(self) -> Path:
        """PostgreSQL's directory; a link, where the real one has to be elsewhere."""
        return self.path / "postgres"


def make_directory(path: Path, mode: int) -> None:
    """Make it, unless it is there, with exactly this mode: a strict umask would lock PostgreSQL's user out."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(parents=True)
        path.chmod(mode)
