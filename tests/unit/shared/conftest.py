from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator, Mapping

import pytest
from loguru import logger

from tests.unit.shared.fakes import FakeClock
from tests.unit.shared.loop import JumpingLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], AbstractEventLoop]]:
    """Let every asynchronous test of this directory run in time that jumps."""
    return {"jumping": JumpingLoop}


@pytest.fixture(autouse=True)
def silence() -> Iterator[None]:
    """Log nothing: here the failures are made on purpose."""
    logger.disable("shared")
    yield
    logger.enable("shared")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
