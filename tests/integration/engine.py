"""The Docker engine: whether one answers, and what is asked of it beforehand."""

from collections.abc import Iterable

from docker.errors import DockerException, ImageNotFound
from testcontainers.core.docker_client import DockerClient

ANSWER_TIMEOUT_S = 10
PULL_SILENCE_MAX_S = 60
"""A registry that says nothing for so long is given up on."""


def answers() -> bool:
    """Tell whether an engine answers, where Docker's own variables and contexts say that it is."""
    try:
        return bool(DockerClient(timeout=ANSWER_TIMEOUT_S).client.ping())
    except (DockerException, OSError):
        return False


def fetch(images: Iterable[str]) -> None:
    """Pull what is not here yet.

    Raises:
        DockerException: it is not to be had.
    """
    here = DockerClient(timeout=PULL_SILENCE_MAX_S).client.images
    for image in images:
        try:
            here.get(image)
        except ImageNotFound:
            here.pull(image)
