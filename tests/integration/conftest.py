"""The fixtures of this suite: servers and outside parties for the session, a clean stage for each test."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integration.auditor import Auditor
from tests.integration.outside import Outside, outside_parties
from tests.integration.servers import Servers, serving
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def servers() -> AsyncIterator[Servers]:
    async with serving() as servers:
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


@pytest_asyncio.fixture
async def actors(stage: Stage) -> dict[str, Actor]:
    """One replica of every service."""
    return await stage.start_all()


@pytest_asyncio.fixture
async def shop(stage: Stage, actors: dict[str, Actor]) -> AsyncIterator[LocalShop]:
    """The shop as a customer sees it, with every service playing."""
    async with LocalShop(stage, actors) as shop:
        yield shop
