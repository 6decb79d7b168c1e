from tests.unit.shared.conftest import pytest_asyncio_loop_factories, silence

__all__ = ["pytest_asyncio_loop_factories", "silence"]
