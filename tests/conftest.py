"""The options of the whole suite, and what holds in each of its processes."""

import pytest

from shared.garbage import freeze_what_stays


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say where the servers of the integration tests run."""
    parser.addoption(
        "--servers",
        choices=("auto", "native", "containers"),
        default="auto",
        help="where the integration tests' PostgreSQL and RabbitMQ run; auto: in containers if an engine answers",
    )
    parser.addoption(
        "--screenshots",
        action="store_true",
        help="have the browser tests write the pictures of docs/images anew",
    )


def pytest_collection_finish() -> None:
    """Collect garbage as the services do; as Python does of its own accord it is a sixth of all that the tests cost."""
    freeze_what_stays()
