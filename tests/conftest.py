"""The options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Say where the servers of the integration tests run."""
    parser.addoption(
        "--servers",
        choices=("auto", "native", "containers"),
        default="auto",
        help="where the integration tests' PostgreSQL and RabbitMQ run; auto: in containers if an engine answers",
    )
