"""Bringing a project up: build, make, start, wait; and when it fails, say which program it was."""

from collections.abc import Callable, Mapping
from time import monotonic, sleep

from infra.docker.containers import Container, containers_of
from infra.docker.engine import ask, watched
from infra.docker.programs import MIGRATIONS
from infra.docker.project import Project
from infra.docker.removal import forget_old_images
from infra.failure import StackError
from infra.home import REPOSITORY
from infra.screen import Screen
from infra.standing import Phase, Standing, State

BUILD_TIMEOUT_S = 1800.0  # the first time, the base image and the packages come over the network
MAKE_TIMEOUT_S = 1800.0  # the first time, the servers' images do
UP_TIMEOUT_S = 480.0
READY_TIMEOUT_S = 240.0
MIGRATION_TIMEOUT_S = 240.0
LOOK_EVERY_S = 0.5
LOG_LINES = 20

CULPRITS = {
    State.FAILED: "ended with exit code {0.exit_code}",
    State.NOT_READY: "does not become ready",
    State.RESTARTING: "ends again and again",
}


def build(project: Project, murmur: Callable[[str], None]) -> None:
    """Build the images anew where the code has changed.

    Raises:
        StackError: a build failed.
    """
    _compose(project, project.compose("build"), BUILD_TIMEOUT_S, murmur)
    forget_old_images(project)


def start(project: Project, scale: int, screen: Screen, look: Callable[[], Standing]) -> None:
    """Start what does not run, and wait until all is ready.

    Raises:
        StackError: something does not come up; it is left as it stands.
    """
    screen.say("making the containers")
    _compose(project, project.up(scale, "--no-start"), MAKE_TIMEOUT_S, screen.murmur)
    try:
        _compose(project, project.up(scale), UP_TIMEOUT_S, lambda _: screen.show(Phase.STARTING, _states(look())))
    except StackError as error:
        raise _explained(project, error) from error
    ends = monotonic() + READY_TIMEOUT_S
    while True:
        told = look()
        screen.show(Phase.STARTING, _states(told))
        if told.ready:
            return
        if monotonic() > ends:
            raise StackError(f"not ready within {READY_TIMEOUT_S:g} s: {', '.join(told.missing)}")
        sleep(LOOK_EVERY_S)


def migrate(project: Project) -> None:
    """Run the migrations of the code as it is now.

    Raises:
        StackError: one failed.
    """
    build(project, lambda _: None)
    for migration in MIGRATIONS:
        run = project.compose("run", "--rm", "--no-deps", "--no-TTY", migration)
        _compose(project, run, MIGRATION_TIMEOUT_S, lambda _: None)


def _compose(project: Project, command: tuple[str, ...], timeout_s: float, watch: Callable[[str], None]) -> None:
    watched(command, REPOSITORY, project.home.docker_log, timeout_s, watch)


def _states(told: Standing) -> Mapping[str, State]:
    return {line.name: line.state for line in told.programs}


def _explained(project: Project, error: StackError) -> StackError:
    """Name the program, with what it wrote last, rather than what Compose makes of it."""
    for one in containers_of(project):
        if one.state in CULPRITS:
            return StackError(f"{one.service} {CULPRITS[one.state].format(one)}", _last_lines(project, one))
    return error


def _last_lines(project: Project, one: Container) -> tuple[str, ...]:
    asked = ("logs", "--no-color", "--no-log-prefix", "--tail", str(LOG_LINES))
    return tuple(ask(*project.known(*asked, one.service)).splitlines())
