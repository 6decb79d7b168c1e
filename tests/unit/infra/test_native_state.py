"""The state directory, its secrets and its locks."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from infra.credentials import SUPERUSER, VARIABLES, Credentials
from infra.failure import StackError
from infra.home import PRIVATE, REPOSITORY, WALKABLE, Home, make_directory
from infra.lock import alone
from infra.native.presence import presence, present
from infra.native.program import Owner
from infra.native.running import scratch
from infra.native.state import create, reachable

SOMEBODY = Owner(uid=12345, gid=12345)

HOLDS_THE_PID_FILE = """
import sys
from pathlib import Path
from infra.native.presence import presence

with presence(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_drawn_once(tmp_path: Path) -> None:
    """Each is another, and a second run finds the same."""
    file = tmp_path / "secrets.env"
    drawn = Credentials.read_or_draw(file)
    assert set(drawn.values) == set(VARIABLES)
    assert len(set(drawn.values.values())) == len(VARIABLES)
    assert Credentials.read_or_draw(file) == Credentials.read(file) == drawn


def test_secrets_are_nobody_elses(tmp_path: Path) -> None:
    """Readable by their owner alone, and not shown with the object that holds them."""
    file = tmp_path / "secrets.env"
    drawn = Credentials.read_or_draw(file)
    assert mode(file) == 0o600
    assert drawn.superuser not in repr(drawn)


def test_a_secret_of_a_newer_version_is_added(tmp_path: Path) -> None:
    """Those that are there stay, a person's comments and additions too as far as they are variables."""
    file = tmp_path / "secrets.env"
    file.write_text(f"# mine\n{SUPERUSER}=known\nOTHER=kept\n")
    assert Credentials.read_or_draw(file).superuser == "known"
    assert set(Credentials.read(file).values) == {*VARIABLES, "OTHER"}


def test_secrets_fit_into_an_address(tmp_path: Path) -> None:
    """They become part of URLs as they are."""
    safe = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
    assert all(set(value) <= safe for value in Credentials.read_or_draw(tmp_path / "s").values.values())


def test_home_can_be_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the code, unless told otherwise."""
    monkeypatch.delenv("QUARTET_HOME", raising=False)
    assert Home.locate().path == REPOSITORY / ".quartet"
    monkeypatch.setenv("QUARTET_HOME", str(tmp_path))
    assert Home.locate().path == tmp_path


def test_a_strict_umask_locks_nobody_out(tmp_path: Path) -> None:
    """PostgreSQL's user has to walk through; who the directory is private to, does not change."""
    before = os.umask(0o077)
    try:
        make_directory(tmp_path / "walkable", WALKABLE)
        make_directory(tmp_path / "private", PRIVATE)
        make_directory(tmp_path / "private", WALKABLE)
    finally:
        os.umask(before)
    assert (mode(tmp_path / "walkable"), mode(tmp_path / "private")) == (WALKABLE, PRIVATE)


@pytest.mark.parametrize(("permissions", "walks"), [(0o711, True), (0o755, True), (0o710, False), (0o700, False)])
def test_a_way_is_as_open_as_its_closest_door(permissions: int, walks: bool) -> None:
    """Whatever the directory at its end allows."""
    with scratch() as directory:
        inner = directory / "closest" / "data"
        make_directory(inner, 0o755)
        inner.parent.chmod(permissions)
        assert reachable(inner, SOMEBODY) is walks


def test_a_way_is_open_to_its_owner(tmp_path: Path) -> None:
    """Whatever others may do."""
    assert reachable(tmp_path, Owner(os.geteuid(), os.getegid()))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_postgres_goes_elsewhere_from_where_its_user_cannot_walk(tmp_path: Path) -> None:
    """pytest's directories are such a place; a link says where it went."""
    home = Home(tmp_path / "home")
    make_directory(home.path, WALKABLE)
    create(home)
    elsewhere = home.postgres.resolve()
    try:
        assert home.postgres.is_symlink()
        assert reachable(elsewhere, SOMEBODY)
        create(home)
        assert home.postgres.resolve() == elsewhere
    finally:
        elsewhere.rmdir()


def test_the_supervisor_is_present_as_long_as_its_process(tmp_path: Path) -> None:
    """Killed, it leaves its number behind, which nobody believes any more."""
    pid_file = tmp_path / "supervisor.pid"
    assert present(pid_file) is None
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS_THE_PID_FILE, str(pid_file)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        assert present(pid_file) == holder.pid
        with pytest.raises(StackError, match="running already"), presence(pid_file):
            pass
        assert present(pid_file) == holder.pid
        holder.kill()
        holder.wait()
        assert pid_file.read_text().startswith(f"{holder.pid} ")
        assert present(pid_file) is None


def test_a_strangers_number_is_not_the_supervisors(tmp_path: Path) -> None:
    """As it is read in the moment between the lock of a new supervisor and its number."""
    pid_file = tmp_path / "supervisor.pid"
    with presence(pid_file):
        assert present(pid_file) == os.getpid()
        pid_file.write_text(f"{os.getpid()} another boot:12\n")
        assert present(pid_file) is None


def test_commands_take_turns(tmp_path: Path) -> None:
    """The first does not wait, and lets go at its end."""
    waited: list[str] = []
    with alone(tmp_path / "lock", lambda: waited.append("one")):
        pass
    with alone(tmp_path / "lock", lambda: waited.append("two")):
        pass
    assert waited == []
