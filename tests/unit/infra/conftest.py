from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.unit.infra.merchant import HandPatience, Merchant, provider


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    return tmp_path / "provider" / "ledger.sqlite"


@pytest.fixture
async def merchant(ledger_path: Path) -> AsyncIterator[Merchant]:
    """A provider that waits for nothing."""
    async with provider(ledger_path) as merchant:
        yield merchant


@pytest.fixture
def patience() -> HandPatience:
    return HandPatience()


@pytest.fixture
async def patient(ledger_path: Path, patience: HandPatience) -> AsyncIterator[Merchant]:
    """A provider whose waits end when the test says so."""
    async with provider(ledger_path, patience=patience, hold_ms=30_000, late_ms=1_500) as merchant:
        yield merchant
        patience.over()
