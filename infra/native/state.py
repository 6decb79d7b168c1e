"""The state directory: the one place where a native run keeps everything that outlives a process."""

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from infra.native.program import Owner, StackError

REPOSITORY = Path(__file__).resolve().parents[2]

NOBODY = Owner(uid=65534, gid=65534)
"""PostgreSQL refuses to run as root; this user exists everywhere and owns nothing else of ours."""

PRIVATE = 0o700
WALKABLE = 0o711  # others may walk through to what is theirs, and see nothing on the way

ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - checked for its owner before it is used


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

    def create(self) -> None:
        """Make the directories in it, and decide where PostgreSQL's is: the only place that decides it.

        Started by root, PostgreSQL runs as another user, who has to be able to walk to its directory. Where
        it cannot (a checkout below `/root`), the directory goes elsewhere and a link says where.

        Raises:
            StackError: there is no place that this user can reach.
        """
        for directory in (self.logs, self.rabbitmq, self.provider_ledger.parent, self.mail):
            make_directory(directory, PRIVATE)
        owner = server_owner()
        if not self.postgres.is_symlink() and not self.postgres.exists():
            if owner is None or reachable(self.path, owner):
                make_directory(self.postgres, WALKABLE)
            else:
                self.postgres.symlink_to(self._elsewhere(owner))
        make_directory(self.postgres.resolve(), WALKABLE)  # a link whose target was deleted
        if owner and not reachable(self.postgres.resolve(), owner):
            raise StackError(f"user {owner.uid} cannot reach {self.postgres} any more: `make reset` begins anew")

    def _elsewhere(self, owner: Owner) -> Path:
        for place in ELSEWHERE:
            if os.access(place, os.W_OK) and reachable(place, owner):
                directory = place / f"quartet-{hashlib.sha256(bytes(self.path)).hexdigest()[:12]}"
                make_directory(directory, WALKABLE)
                if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
                    raise StackError(f"{directory} is not ours: remove it, or set QUARTET_HOME to another place")
                return directory
        raise StackError(f"user {owner.uid} cannot reach {self.path}: set QUARTET_HOME to where it can")


def make_directory(path: Path, mode: int) -> None:
    """Make it, unless it is there, with exactly this mode: a strict umask would lock PostgreSQL's user out."""
    with contextlib.suppress(FileExistsError):
        path.mkdir(parents=True)
        path.chmod(mode)


def server_owner() -> Owner | None:
    """Say whom PostgreSQL has to run as: another user when this is root, nobody else otherwise."""
    return NOBODY if os.geteuid() == 0 else None


def reachable(path: Path, owner: Owner) -> bool:
    """Tell whether a user may walk all the way into a directory, or execute a file."""
    for step in (path, *path.parents):
        status = step.stat()
        shift = 6 if status.st_uid == owner.uid else 3 if status.st_gid == owner.gid else 0
        if not status.st_mode >> shift & 0o1:
            return False
    return True
