"""The Compose project of a checkout."""

import hashlib
from dataclasses import dataclass

from infra.docker.programs import OBSERVERS, PROGRAMS
from infra.home import REPOSITORY, Home
from infra.ports import SERVICES
from infra.run import Run

NAME_HASH_CHARS = 8
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
NUMBER_LABEL = "com.docker.compose.container-number"
ONE_OFF_LABEL = "com.docker.compose.oneoff"
COMPOSE_FILE = REPOSITORY / "docker-compose.yml"
OBSERVE_FILE = REPOSITORY / "infra" / "observability" / "compose.observe.yml"
OWN_LABEL = "quartet.project"
"""On our images, so that what a build leaves behind is found."""


@dataclass(frozen=True, slots=True)
class Project:
    """A checkout's own containers, network, volumes and images; another checkout's have another name."""

    home: Home

    @property
    def name(self) -> str:
        """The same for a checkout for ever."""
        return f"quartet-{hashlib.sha256(bytes(self.home.path)).hexdigest()[:NAME_HASH_CHARS]}"

    @property
    def images(self) -> tuple[str, ...]:
        """The images that are built here."""
        return (self.name, f"{self.name}-front")

    @property
    def label(self) -> str:
        """What a container, network or volume of it is found by."""
        return f"label={PROJECT_LABEL}={self.name}"

    @property
    def observed(self) -> bool:
        """Whether it was brought up with `OBSERVE=1`."""
        run = Run.read(self.home.running)
        return run is not None and run.observe

    @property
    def programs(self) -> tuple[str, ...]:
        """What there must be, in the order that it starts in."""
        return (*PROGRAMS, *OBSERVERS) if self.observed else PROGRAMS

    def compose(self, *arguments: str) -> tuple[str, ...]:
        """Give a command that reads the compose files, with the passwords."""
        files = (COMPOSE_FILE, OBSERVE_FILE) if self.observed else (COMPOSE_FILE,)
        read = tuple(part for file in files for part in ("--file", str(file)))
        how = ("--ansi", "never", "--progress", "plain", "--project-name", self.name)
        return ("compose", *how, *read, "--env-file", str(self.home.secrets), *arguments)

    def known(self, *arguments: str) -> tuple[str, ...]:
        """Give a command on what there is of it, which needs neither file nor passwords."""
        return ("compose", "--ansi", "never", "--project-name", self.name, *arguments)

    def up(self, scale: int, *more: str) -> tuple[str, ...]:
        """Give the command that starts it."""
        scales = tuple(part for service in SERVICES for part in ("--scale", f"{service}={scale}"))
        return self.compose("up", "--detach", "--no-build", "--remove-orphans", *scales, *more)
