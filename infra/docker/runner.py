"""The way with Docker: Compose drives itself by `docker-compose.yml`, and this starts, asks and ends it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

from infra.credentials import SUPERUSER, Credentials
from infra.docker.containers import Container, containers_of, lines_of, memory_bytes_of
from infra.docker.engine import ask, watched, why_not
from infra.docker.logs import read_logs
from infra.docker.programs import MIGRATIONS, NEEDED
from infra.docker.project import OWN_LABEL, Project
from infra.failure import StackError
from infra.home import REPOSITORY, Home
from infra.interruption import deaf_from_here, terminated_like_interrupted
from infra.occupied import insist_on_free
from infra.run import Mode, Run
from infra.screen import Screen
from infra.standing import Phase, Standing, State

BUILD_TIMEOUT_S = 1800.0  # the first time, base images and packages come over the network
PULL_TIMEOUT_S = 1800.0
UP_TIMEOUT_S = 180.0
READY_TIMEOUT_S = 60.0
MIGRATION_TIMEOUT_S = 120.0
LOOK_EVERY_S = 0.5
STOP_TIMEOUT_S = 30
LOG_LINES = 20


class DockerRunner:
    """Runs the stack of a checkout in containers."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._project = Project(home)

    def up(self, scale: int, screen: Screen) -> bool:
        """Build what has changed, start what does not run, and wait until all is ready."""
        before = self.runs()
        if before and self._standing(scale).ready:
            return False
        if not before:
            self._check()
        Credentials.read_or_draw(self._home.secrets)
        with terminated_like_interrupted():
            try:
                self._start(scale, screen)
            except BaseException:
                if not before:
                    deaf_from_here()
                    screen.say("stopping what was started")
                    self._take_down()
                raise
        return True

    def runs(self) -> bool:
        """Tell whether a container runs; none does where no engine answers."""
        return not why_not() and any(one.running for one in containers_of(self._project))

    def down(self, screen: Screen) -> bool:
        """Remove its containers and its network."""
        self._insist_on_engine()
        if why_not() or not (self._left("container") or self._left("network")):
            return False
        screen.say("stopping the containers")
        self._take_down()
        return True

    def reset(self, screen: Screen) -> None:
        """Remove its volumes and images too."""
        self._log.unlink(missing_ok=True)
        self._insist_on_engine()
        if why_not():
            return
        screen.say("removing containers, volumes and images")
        self._take_down()
        if volumes := self._left("volume"):
            ask("volume", "rm", *volumes)
        images = [image for image in self._project.images if ask("image", "ls", "--quiet", image).strip()]
        if images:
            ask("image", "rm", *images)
        self._prune()

    def standing(self, memory: bool = False) -> Standing:
        """Ask the engine."""
        self._insist_on_engine()
        return self._standing(self._scale, memory)

    def logs(self, name: str, lines: int, follow: bool) -> Iterator[str]:
        """Read what the engine kept of the containers' output."""
        return read_logs(self._project, name, self._scale, lines, follow)

    def migrate(self) -> None:
        """Run the migrations of the code as it is now."""
        self._build(lambda _: None)
        for migration in MIGRATIONS:
            run = self._project.compose("run", "--rm", "--no-deps", "--no-TTY", migration)
            self._compose(run, MIGRATION_TIMEOUT_S, lambda _: None)

    def _start(self, scale: int, screen: Screen) -> None:
        screen.say("building the image")
        self._build(screen.murmur)
        screen.say("making the containers")
        up = self._project.up(scale)
        self._compose((*up, "--no-start"), PULL_TIMEOUT_S, screen.murmur)

        def show(_: str) -> None:
            screen.show(Phase.STARTING, self._states(scale))

        try:
            self._compose(up, UP_TIMEOUT_S, show)
        except StackError as error:
            raise self._failure(error) from error
        ends = monotonic() + READY_TIMEOUT_S
        while not self._standing(scale).ready:
            show("")
            if monotonic() > ends:
                missing = ", ".join(self._standing(scale).missing)
                raise StackError(f"not ready within {READY_TIMEOUT_S:g} s: {missing}")
            sleep(LOOK_EVERY_S)
        show("")

    def _build(self, murmur: Callable[[str], None]) -> None:
        self._compose(self._project.compose("build"), BUILD_TIMEOUT_S, murmur)
        self._prune()

    def _compose(self, command: tuple[str, ...], timeout_s: float, watch: Callable[[str], None]) -> None:
        watched(command, REPOSITORY, self._log, timeout_s, watch)

    def _check(self) -> None:
        """Find out early what would keep it from starting."""
        self._insist_on_engine()
        lost = SUPERUSER not in Credentials.read(self._home.secrets).values
        if lost and f"{self._project.name}_postgres" in self._left("volume"):
            raise StackError(
                f"the volumes were made with passwords that {self._home.secrets} has lost: `make reset` begins anew"
            )
        insist_on_free(NEEDED)

    def _standing(self, scale: int, memory: bool = False) -> Standing:
        containers = containers_of(self._project)
        phase = Phase.UP if any(one.running for one in containers) else Phase.DOWN
        lines = lines_of(containers, scale, memory_bytes_of(containers) if memory else {}) if containers else ()
        return Standing(phase, lines, f"the volume {self._project.name}_postgres")

    def _states(self, scale: int) -> dict[str, State]:
        return {line.name: line.state for line in self._standing(scale).programs}

    def _failure(self, error: StackError) -> StackError:
        """Say which program it was, with what it wrote last, rather than what Compose makes of it."""
        for one in containers_of(self._project):
            if one.state in {State.FAILED, State.NOT_READY, State.RESTARTING}:
                return StackError(f"{one.service} {_what(one)}", self._last_lines(one))
        return error

    def _last_lines(self, one: Container) -> tuple[str, ...]:
        project, asked = self._project, ("logs", "--no-color", "--no-log-prefix", "--tail", str(LOG_LINES))
        return tuple(ask(*project.known(*asked, one.service)).splitlines())

    def _take_down(self) -> None:
        ask(*self._project.known("down", "--remove-orphans", "--timeout", str(STOP_TIMEOUT_S)))

    def _left(self, kind: str) -> list[str]:
        """List the containers, networks or volumes that there are."""
        every = ("--all",) if kind == "container" else ()
        return ask(kind, "ls", *every, "--quiet", "--filter", self._project.label).split()

    def _prune(self) -> None:
        """Remove what earlier builds of our images left."""
        ask("image", "prune", "--force", "--filter", f"label={OWN_LABEL}={self._project.name}")

    def _insist_on_engine(self) -> None:
        run = Run.read(self._home.running)
        if run and run.mode is Mode.DOCKER and (reason := why_not()):
            raise StackError(f"Quartet was brought up {run}, but {reason}")

    @property
    def _scale(self) -> int:
        run = Run.read(self._home.running)
        return run.scale if run else 1

    @property
    def _log(self) -> Path:
        return self._home.path / "docker.log"


def _what(one: Container) -> str:
    if one.state is State.FAILED:
        return f"ended with exit code {one.exit_code}"
    return "does not become ready" if one.state is State.NOT_READY else "ends again and again"
