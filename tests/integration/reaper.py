"""`python -m tests.integration.reaper SESSION`: removes a session's containers once nobody holds its input open.

That is so at the session's end, and just as well when it is interrupted, terminated or killed.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from testcontainers.core.docker_client import DockerClient
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID

from infra.home import REPOSITORY

REMOVAL_TIMEOUT_S = 60.0


@contextmanager
def reaped() -> Iterator[None]:
    """Remove all containers of this session at the end of the block, or of this process, whichever comes first."""
    reaper = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.reaper", SESSION_ID],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is not for it
    )
    assert reaper.stdin
    try:
        yield
    finally:
        reaper.stdin.close()
        assert reaper.wait(REMOVAL_TIMEOUT_S) == 0, f"containers labelled {LABEL_SESSION_ID}={SESSION_ID} are left"


def main() -> int:
    """Wait for the end of the input, then remove."""
    sys.stdin.buffer.read()
    containers = DockerClient().client.containers
    for container in containers.list(all=True, filters={"label": f"{LABEL_SESSION_ID}={sys.argv[1]}"}):
        container.remove(force=True, v=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
