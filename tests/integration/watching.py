"""The watch over the topology, run in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from infra.ports import HOST
from infra.topology.drift import Drift, drift_of
from infra.topology.management import Management
from infra.topology.watch import Watch
from shared.broker.declare import declare_at
from tests.integration.servers import Servers, topology
from tests.waiting import eventually


def management_of(servers: Servers) -> Management:
    """The broker's management interface, as the topology's user."""
    return Management(f"http://{HOST}:{servers.management_port}", servers.broker_url("topology"))


@asynccontextmanager
async def watched(servers: Servers, looked: Path) -> AsyncIterator[None]:
    """Watch until the end of the block."""
    declare = partial(declare_at, broker_url=servers.broker_url("topology"))
    watching = asyncio.create_task(Watch(topology(), management_of(servers), declare).run(looked))
    try:
        yield
    finally:
        watching.cancel()
        (ended,) = await asyncio.gather(watching, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError), ended


async def sound(servers: Servers) -> None:
    """Wait until the broker has all that it should have, as it should be, and nothing on top."""
    management = management_of(servers)

    async def look() -> None:
        assert drift_of(topology(), await management.found()) == Drift()

    await eventually(look)
    await management.close()
