"""A state is saved over the version that it was made from, and over no other."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.payment.state import AwaitingOrder, Payment
from services.payment.store import states
from shared.ids import new_id
from shared.ports import ConflictError
from shared.store.aggregates import Versioned
from shared.store.connection import by_whose_fault, connect
from shared.store.driver import transacting
from tests.integration.servers import Servers
from tests.integration.stage import Stage

pytestmark = pytest.mark.integration


@pytest.fixture
async def engine(servers: Servers) -> AsyncIterator[AsyncEngine]:
    engine = connect(servers.database_url("payment_service"), "test")
    yield engine
    await engine.dispose()


async def save(engine: AsyncEngine, order_id: UUID, *, loaded: int) -> None:
    """Save a payment as one who loaded that version of it, and logged one event more."""
    state: Payment = AwaitingOrder(order_id)
    with by_whose_fault():
        async with transacting(engine) as driver:
            await states._aggregates.save(driver, {order_id: Versioned(state, loaded + 1, loaded)})


async def test_a_version_is_written_over_once(engine: AsyncEngine, stage: Stage) -> None:
    """Of two that loaded the same version the second is told of a conflict, and leaves the row as it is."""
    order_id = new_id()
    await save(engine, order_id, loaded=0)
    await save(engine, order_id, loaded=1)
    for stale in (0, 1, 7):
        with pytest.raises(ConflictError):
            await save(engine, order_id, loaded=stale)
    assert await stage.auditor.value("SELECT version FROM payment_service.payments") == 2
