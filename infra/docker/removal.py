"""Taking a project away: containers and network, and with `reset` volumes and images."""

from infra.docker.engine import ask
from infra.docker.project import OWN_LABEL, Project

STOP_TIMEOUT_S = 30
"""So long a container may take to end, before it is killed."""
DOWN_TIMEOUT_S = 180.0


def left(project: Project, kind: str) -> list[str]:
    """List the containers, networks or volumes that there are."""
    every = ("--all",) if kind == "container" else ()
    return ask(kind, "ls", *every, "--quiet", "--filter", project.label).split()


def take_down(project: Project) -> None:
    """Stop and remove its containers, those of single commands too, and its network.

    Raises:
        StackError: the engine could not.
    """
    ask(*project.known("down", "--remove-orphans", "--timeout", str(STOP_TIMEOUT_S)), timeout_s=DOWN_TIMEOUT_S)


def delete(project: Project) -> None:
    """Delete its volumes and its images, once it is down.

    Raises:
        StackError: the engine could not.
    """
    if volumes := left(project, "volume"):
        ask("volume", "rm", *volumes)
    if images := [image for image in project.images if ask("image", "ls", "--quiet", image).strip()]:
        ask("image", "rm", *images)
    forget_old_images(project)


def forget_old_images(project: Project) -> None:
    """Delete what earlier builds of its images left without a name."""
    ask("image", "prune", "--force", "--filter", f"label={OWN_LABEL}={project.name}")
