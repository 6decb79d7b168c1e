"""Quiet: what goes wrong here goes wrong on purpose, a thousand times a second."""

from collections.abc import Iterator

import pytest
from loguru import logger


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Have the kit log nothing."""
    logger.disable("shared")
    yield
    logger.enable("shared")
