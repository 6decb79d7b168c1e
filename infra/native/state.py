"""The directories of a native run, and whom PostgreSQL runs as."""

import hashlib
import os
from pathlib import Path

from infra.failure import StackError
from infra.home import PRIVATE, WALKABLE, Home, make_directory
from infra.native.program import Owner

NOBODY = Owner(uid=65534, gid=65534)
"""PostgreSQL refuses to run as root; this user exists everywhere and owns nothing else of ours."""

ELSEWHERE = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - checked for its owner before it is used


def create(home: Home) -> None:
    """Make the directories of a native run, and decide where PostgreSQL's is: the only place that decides it.

    Started by root, PostgreSQL runs as another user, who has to be able to walk to its directory. Where
    it cannot (a checkout below `/root`), the directory goes elsewhere and a link says where.

    Raises:
        StackError: there is no place that this user can reach.
    """
    for directory in (home.logs, home.rabbitmq, home.provider_ledger.parent, home.mail):
        make_directory(directory, PRIVATE)
    owner = server_owner()
    if not home.postgres.is_symlink() and not home.postgres.exists():
        if owner is None or reachable(home.path, owner):
            make_directory(home.postgres, WALKABLE)
        else:
            home.postgres.symlink_to(_elsewhere(home, owner))
    make_directory(home.postgres.resolve(), WALKABLE)  # a link whose target was deleted
    if owner and not reachable(home.postgres.resolve(), owner):
        raise StackError(f"user {owner.uid} cannot reach {home.postgres} any more: `make reset` begins anew")


def _elsewhere(home: Home, owner: Owner) -> Path:
    for place in ELSEWHERE:
        if os.access(place, os.W_OK) and reachable(place, owner):
            directory = place / f"quartet-{hashlib.sha256(bytes(home.path)).hexdigest()[:12]}"
            make_directory(directory, WALKABLE)
            if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
                raise StackError(f"{directory} is not ours: remove it, or set QUARTET_HOME to another place")
            return directory
    raise StackError(f"user {owner.uid} cannot reach {home.path}: set QUARTET_HOME to where it can")


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
