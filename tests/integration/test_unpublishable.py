"""What the broker does not take stays in the outbox and goes out when it can."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

import httpx
import pytest

from infra.ports import HOST
from infra.rabbitmq.users import TOPOLOGY, VHOST, permissions
from shared.topology import Binding
from tests.integration.half import half
from tests.integration.servers import PASSWORD
from tests.integration.stage import Stage
from tests.integration.test_relay import reserve, swept
from tests.integration.wire import item, placed
from tests.waiting import eventually

pytestmark = pytest.mark.integration

LANE = "payment.stock.reserved"
OUTBOX = "inventory_service.outbox"
BINDING = Binding("inventory.events", LANE, "stock.reserved")

Trouble: TypeAlias = Callable[[Stage], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def unroutable(stage: Stage) -> AsyncIterator[None]:
    """The lane's one binding is gone."""
    await stage.auditor.unbind(BINDING)
    try:
        yield
    finally:
        await stage.auditor.bind(BINDING)


@asynccontextmanager
async def forbidden(stage: Stage) -> AsyncIterator[None]:
    """Inventory may no longer write to its own exchange."""
    async with httpx.AsyncClient(
        base_url=f"http://{HOST}:{stage.servers.management_port}", auth=(TOPOLOGY, PASSWORD), timeout=20
    ) as http:
        own = f"/api/permissions/{VHOST}/inventory"
        (await http.put(own, json=permissions("inventory") | {"write": "^$"})).raise_for_status()
        try:
            yield
        finally:
            (await http.put(own, json=permissions("inventory"))).raise_for_status()


@pytest.mark.parametrize("trouble", [unroutable, forbidden])
async def test_what_is_not_taken_stays_and_goes_out_in_the_end(stage: Stage, trouble: Trouble) -> None:
    """Neither the hot way nor a sweep forgets it, however often it fails; once it is taken it is there once."""
    async with half(stage, "inventory") as process:
        async with trouble(stage):
            await reserve(stage, process)
            await process.relay.flushed()
            assert await stage.auditor.count(OUTBOX, "attempts = 0") == 1
            for attempts in (1, 2, 3):
                await stage.auditor.let_grace_pass("inventory")
                assert await process.relay.sweep() == 1
                deferred = "attempts = $1 AND available_at > now() + make_interval(secs => $2)"
                assert await stage.auditor.count(OUTBOX, deferred, attempts, 2.0**attempts - 1) == 1

        async def taken() -> None:
            """What the broker refuses costs its channel, and a sweep before that is open again takes nothing along."""
            await stage.auditor.let_grace_pass("inventory")
            await swept(process)
            assert await stage.auditor.count(OUTBOX) == 0

        await eventually(taken)
    assert await stage.auditor.depths([LANE]) == {LANE: 1}


async def test_what_is_not_taken_does_not_hold_up_its_neighbours(stage: Stage) -> None:
    """Of two types only one is unroutable: the other goes out with the same sweep."""
    await stage.offer(rosin=1)
    async with half(stage, "inventory", publishes=False) as process:
        await process.shell.submit(item(placed(rosin=1)), item(placed(rosin=2)))  # one reserved, one rejected
        await stage.auditor.let_grace_pass("inventory")
        async with unroutable(stage):
            assert await process.relay.sweep() == 2
            await process.relay.flushed()
        assert await stage.auditor.depths([LANE, "order.stock.rejected"]) == {"order.stock.rejected": 1}
        assert await stage.auditor.count(OUTBOX) == 1
