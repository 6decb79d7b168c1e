"""The way with Docker: Compose drives itself by `docker-compose.yml`, and this starts, asks and ends it."""

from collections.abc import Iterator

from infra.credentials import SUPERUSER, Credentials
from infra.docker.containers import containers_of, lines_of, memory_bytes_of
from infra.docker.engine import why_not
from infra.docker.logs import read_logs
from infra.docker.programs import needed
from infra.docker.project import Project
from infra.docker.removal import delete, left, take_down
from infra.docker.starting import build, migrate, start
from infra.failure import StackError
from infra.home import Home
from infra.interruption import deaf_from_here, terminated_like_interrupted
from infra.occupied import insist_on_free
from infra.run import Mode, Run
from infra.screen import Screen
from infra.standing import Phase, Standing


class DockerRunner:
    """Runs the stack of a checkout in containers."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._project = Project(home)

    def up(self, scale: int, screen: Screen) -> bool:
        """Build what has changed, start what does not run, and wait until all is ready."""
        self._insist_on_engine()
        before = self.runs()
        if before and self._look(scale).ready:
            return False
        if not before:
            self._check()
        Credentials.read_or_draw(self._home.secrets)
        with terminated_like_interrupted():
            try:
                screen.say("building the image")
                build(self._project, screen.murmur)
                start(self._project, scale, screen, lambda: self._look(scale))
            except BaseException:
                if not before:
                    deaf_from_here()
                    screen.say("stopping what was started")
                    take_down(self._project)
                raise
        return True

    def runs(self) -> bool:
        """Tell whether a container runs; none does where no engine answers."""
        return not why_not() and any(one.running for one in containers_of(self._project))

    def down(self, screen: Screen) -> bool:
        """Remove its containers and its network."""
        if not self._answers() or not (left(self._project, "container") or left(self._project, "network")):
            return False
        screen.say("stopping the containers")
        take_down(self._project)
        return True

    def reset(self, screen: Screen) -> None:
        """Remove its volumes and images too."""
        self._home.docker_log.unlink(missing_ok=True)
        if self._answers():
            screen.say("removing containers, volumes and images")
            take_down(self._project)
            delete(self._project)

    def standing(self, memory: bool = False) -> Standing:
        """Ask the engine."""
        self._insist_on_engine()
        return self._look(self._scale, memory)

    def logs(self, name: str, lines: int, follow: bool) -> Iterator[str]:
        """Read what the engine kept of the containers' output."""
        self._insist_on_engine()
        return read_logs(self._project, name, self._scale, lines, follow)

    def migrate(self) -> None:
        """Run the migrations of the code as it is now."""
        migrate(self._project)

    def _look(self, scale: int, memory: bool = False) -> Standing:
        containers = containers_of(self._project)
        phase = Phase.UP if any(one.running for one in containers) else Phase.DOWN
        held = memory_bytes_of(containers) if memory else {}
        lines = lines_of(containers, scale, held, programs=self._project.programs) if containers else ()
        return Standing(phase, lines, f"the volume {self._project.name}_postgres")

    def _check(self) -> None:
        """Find out early what would keep it from starting."""
        lost = SUPERUSER not in Credentials.read(self._home.secrets).values
        if lost and f"{self._project.name}_postgres" in left(self._project, "volume"):
            raise StackError(
                f"the volumes were made with passwords that {self._home.secrets} has lost: `make reset` begins anew"
            )
        insist_on_free(needed(self._project.observed))

    def _insist_on_engine(self) -> None:
        if reason := why_not():
            raise StackError(f"Quartet was brought up in Docker, but {reason}")

    def _answers(self) -> bool:
        """Tell whether an engine answers; one that must, because the stack is in it, is an error."""
        run = Run.read(self._home.running)
        if run and run.mode is Mode.DOCKER:
            self._insist_on_engine()
        return not why_not()

    @property
    def _scale(self) -> int:
        run = Run.read(self._home.running)
        return run.scale if run else 1
