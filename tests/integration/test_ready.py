"""`/readyz` tells the truth: 503 while something it needs is away, 200 once it is back; `/livez` all the while."""

import pytest

from infra.ports import SERVICES
from shared.broker.declare import declare_at
from tests.integration.health import not_ready
from tests.integration.servers import topology
from tests.integration.stage import Actor, Stage

pytestmark = [pytest.mark.integration, pytest.mark.outage]


async def test_a_service_is_not_ready_without_its_database(actors: dict[str, Actor], stage: Stage) -> None:
    """Every service says so, and is ready by itself once the database is back."""
    await stage.servers.database.kill()
    try:
        for actor in actors.values():
            await not_ready(actor, "database")
            assert (await actor.http.get("/livez")).status_code == 200
    finally:
        await stage.servers.database.start()
    for actor in actors.values():
        await actor.ready()


async def test_a_frozen_database_is_noticed(stage: Stage) -> None:
    """Its connections stay open and nobody answers; the answer of the probe comes in time all the same."""
    actor = await stage.start("payment")
    stage.servers.database.freeze()
    try:
        await not_ready(actor, "database")
    finally:
        stage.servers.database.thaw()
    await actor.ready()


async def test_a_service_that_starts_before_its_database_becomes_ready(stage: Stage) -> None:
    """The order in which things are started does not matter."""
    await stage.servers.database.kill()
    try:
        actor = await stage.begin("notification")
        await not_ready(actor, "database")
    finally:
        await stage.servers.database.start()
    await actor.ready()


async def test_a_lane_that_is_not_there_is_noticed(stage: Stage) -> None:
    """A service whose queue is missing, at its start or later, is not ready, and consumes once it is declared."""
    actor = await stage.start("inventory")
    await stage.auditor.delete("inventory.order.placed")
    try:
        late = await stage.begin("inventory")
        for replica in (actor, late):
            await not_ready(replica, "broker")
    finally:
        await declare_at(topology(), stage.servers.broker_url("topology"))
    for replica in (actor, late):
        await replica.ready()


@pytest.mark.parametrize("service", SERVICES)
async def test_a_ready_service_names_what_it_has_asked(stage: Stage, service: str) -> None:
    """Both its database and its broker have just answered."""
    actor = await stage.start(service)
    assert (await actor.http.get("/readyz")).json() == {"status": "ok", "checks": {"database": "ok", "broker": "ok"}}
