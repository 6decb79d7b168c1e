"""The fixtures of this suite: servers and outside parties for the session, a clean stage for each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from docker.errors import DockerException

from tests.integration import engine
from tests.integration.auditor import Auditor
from tests.integration.containers import IMAGES, contained_servers
from tests.integration.gates import GatedProvider, gated_payment
from tests.integration.native import native_servers
from tests.integration.outside import Outside, outside_parties
from tests.integration.servers import Servers
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage

SERVERS = {"native": native_servers, "containers": contained_servers}
WHERE = pytest.StashKey[str]()
"""Where the servers run: natively, or in containers."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Decide where the servers run; in containers, leave out what is about native ones or needs no second run."""
    asked: str = config.getoption("servers")
    where = asked if asked in SERVERS else "containers" if engine.answers() else "native"
    config.stash[WHERE] = where
    if where == "containers":
        native = [item for item in items if item.get_closest_marker("native") or item.get_closest_marker("once")]
        items[:] = [item for item in items if item not in native]
        config.hook.pytest_deselected(items=native)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch the images before the time of the first test runs.

    Raises:
        pytest.UsageError: they are not to be had.
    """
    wanted = any(item.get_closest_marker("integration") for item in session.items)
    if wanted and session.config.stash[WHERE] == "containers" and not session.config.option.collectonly:
        try:
            engine.fetch(IMAGES)
        except (DockerException, OSError) as error:
            raise pytest.UsageError(
                f"an engine answers, but not with the images ({error}): --servers=native"
            ) from error


def pytest_report_collectionfinish(config: pytest.Config) -> str:
    """Say where they run."""
    return f"servers: {config.stash[WHERE]}"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers(request: pytest.FixtureRequest) -> AsyncIterator[Servers]:
    async with SERVERS[request.config.stash[WHERE]]() as servers:
        yield servers


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def outside(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Outside]:
    directory: Path = tmp_path_factory.mktemp("outside")
    async with outside_parties(directory) as outside:
        yield outside


@pytest_asyncio.fixture
async def auditor(servers: Servers) -> AsyncIterator[Auditor]:
    """Looks at servers on which nothing is left of earlier tests."""
    auditor = Auditor(servers)
    await auditor.wipe()
    yield auditor
    await auditor.close()


@pytest_asyncio.fixture
async def stage(servers: Servers, outside: Outside, auditor: Auditor) -> AsyncIterator[Stage]:
    """A stage without actors; those that a test brings are stopped at its end."""
    async with AsyncExitStack() as lives:
        yield Stage(servers, outside, auditor, lives, await outside.last_line())


@pytest.fixture
def short_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up on what does not answer in seconds: what comes of that is asked, not how long it takes."""
    monkeypatch.setattr("shared.store.connection.COMMAND_TIMEOUT_S", 4.0)
    for connecting in ("consumer", "publisher"):
        monkeypatch.setattr(f"shared.broker.{connecting}.HEARTBEAT_S", 3)
    monkeypatch.setattr("shared.broker.consuming.LOOK_INTERVAL_S", 2.0)
    monkeypatch.setattr("shared.broker.consuming.RESUME_TIMEOUT_S", 6.0)


@pytest_asyncio.fixture
async def actors(stage: Stage) -> dict[str, Actor]:
    """One replica of every service."""
    return await stage.start_all()


@pytest_asyncio.fixture
async def shop(stage: Stage, actors: dict[str, Actor]) -> AsyncIterator[LocalShop]:
    """The shop as a customer sees it, with every service playing."""
    async with LocalShop(stage, actors) as shop:
        yield shop


@pytest_asyncio.fixture
async def provider(stage: Stage) -> AsyncIterator[GatedProvider]:
    """Payment plays, and this is what it speaks to: the provider, behind doors."""
    async with gated_payment(stage) as (_, provider):
        yield provider
