"""A RabbitMQ node of our own, from the system's package, beside any other on the machine.

Its port mapper, epmd, is a program of ours too: left to the node it would become a daemon that outlives it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from infra import ports
from infra.home import REPOSITORY
from infra.native.environment import inherited
from infra.native.install import Installed
from infra.native.own_home import make_home, server_of
from infra.native.probes import epmd_answers, http_ok
from infra.native.program import Program
from infra.ports import HOST
from infra.rabbitmq.users import TOPOLOGY, VHOST, definitions

NODE = "quartet@localhost"
PROCESS_NAMES = frozenset({"beam.smp", "erl_child_setup", "inet_gethost", "epmd"})
SETTINGS_FILE = REPOSITORY / "infra" / "rabbitmq" / "rabbitmq.conf"
PLUGINS = ("rabbitmq_management", "rabbitmq_prometheus")
EMULATOR_ARGUMENTS = (
    "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"  # two schedulers, and none spins while it waits
    " -kernel inet_dist_use_interface {127,0,0,1}"
)


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one node."""

    amqp: int = ports.AMQP
    management: int = ports.RABBITMQ_MANAGEMENT
    prometheus: int = ports.RABBITMQ_PROMETHEUS
    distribution: int = ports.RABBITMQ_DISTRIBUTION
    epmd: int = ports.EPMD


@dataclass(frozen=True)
class RabbitMQ:
    """A node: a directory for its configuration and data, its ports, and the passwords of its users."""

    directory: Path
    installed: Installed
    passwords: Mapping[str, str] = field(repr=False)
    ports: Ports = Ports()

    def url(self, user: str) -> str:
        """Give the address that `user` connects to."""
        return f"amqp://{user}:{self.passwords[user]}@{HOST}:{self.ports.amqp}/{VHOST}"

    def initialise(self) -> None:
        """Write its configuration, the users' passwords as they are now. Its data stays as it is."""
        for name in ("home", "conf", "data", "log"):
            (self.directory / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._write("rabbitmq-env.conf", "")  # or it reads the system's
        self._write("advanced.config", "[].\n")
        self._write("enabled_plugins", f"[{','.join(PLUGINS)}].\n")
        self._write("definitions.json", json.dumps(definitions(self.passwords), indent=1))
        own = "".join(f"{name} = {value}\n" for name, value in self._settings().items())
        self._write("rabbitmq.conf", SETTINGS_FILE.read_text() + own)
        make_home(self.installed.server, PLUGINS, self._home)

    def programs(self) -> tuple[Program, Program]:
        """Give what the supervisor runs, epmd first; `initialise` comes first."""
        env = self._environment()
        mapper = Program(
            name="epmd",
            argv=(str(self.installed.epmd), "-port", str(self.ports.epmd)),
            env=env,
            cwd=self.directory,
            ports=(self.ports.epmd,),
            ready=self._mapper_ready,
            ready_timeout_s=60.0,
        )
        node = Program(
            name="rabbitmq",
            argv=(str(server_of(self._home, self.installed.server)),),
            env=env,
            cwd=self.directory,
            needs=(mapper.name,),
            ports=(self.ports.amqp, self.ports.management, self.ports.prometheus, self.ports.distribution),
            ready=self.ready,
            ready_timeout_s=180.0,
            stop_timeout_s=30.0,
        )
        return mapper, node

    @property
    def _home(self) -> Path:
        return self.directory / "server"

    async def ready(self) -> bool:
        """Tell whether it has loaded its users and listens for AMQP: it does so last."""
        path = f"/api/health/checks/port-listener/{self.ports.amqp}"
        return await http_ok(self.ports.management, path, TOPOLOGY, self.passwords[TOPOLOGY])

    async def _mapper_ready(self) -> bool:
        return await epmd_answers(self.ports.epmd)

    def _write(self, name: str, text: str) -> None:
        path = self.directory / "conf" / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)

    def _settings(self) -> dict[str, str | int]:
        return {
            "listeners.tcp.local": f"{HOST}:{self.ports.amqp}",
            "management.tcp.ip": HOST,
            "management.tcp.port": self.ports.management,
            "prometheus.tcp.ip": HOST,
            "prometheus.tcp.port": self.ports.prometheus,
            "load_definitions": f"{self.directory}/conf/definitions.json",
        }

    def _environment(self) -> dict[str, str]:
        conf = f"{self.directory}/conf"
        return inherited(
            HOME=f"{self.directory}/home",  # its own cookie
            ERL_EPMD_ADDRESS=HOST,
            ERL_EPMD_PORT=str(self.ports.epmd),
            RABBITMQ_NODENAME=NODE,
            RABBITMQ_DIST_PORT=str(self.ports.distribution),
            RABBITMQ_CONF_ENV_FILE=f"{conf}/rabbitmq-env.conf",
            RABBITMQ_CONFIG_FILE=f"{conf}/rabbitmq.conf",
            RABBITMQ_ADVANCED_CONFIG_FILE=f"{conf}/advanced.config",
            RABBITMQ_ENABLED_PLUGINS_FILE=f"{conf}/enabled_plugins",
            RABBITMQ_MNESIA_BASE=f"{self.directory}/data",
            RABBITMQ_LOG_BASE=f"{self.directory}/log",
            RABBITMQ_LOGS="-",
            RABBITMQ_PID_FILE=f"{self.directory}/rabbitmq.pid",
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=EMULATOR_ARGUMENTS,
            # With input allowed its script becomes the node instead of waiting for it as a parent that would
            # outlive or orphan it; -noinput then takes that input away again.
            RABBITMQ_ALLOW_INPUT="1",
            RABBITMQ_SERVER_START_ARGS="-noinput",
        )
