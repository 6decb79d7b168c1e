"""`/readyz` tells the truth: 503 while something it needs is away, 200 once it is back; `/livez` all the while."""

import pytest

from infra.ports import SERVICES
from tests.integration.asking import is_problem
from tests.integration.stage import Actor, Stage
from tests.integration.waiting import eventually

pytestmark = pytest.mark.integration


async def not_ready(actor: Actor, *wrong: str) -> None:
    """Wait until a service says that it is not ready, because of just these."""

    async def look() -> None:
        answer = await actor.http.get("/readyz")
        is_problem(answer, 503)
        assert answer.headers["retry-after"]
        assert {name for name, verdict in answer.json()["checks"].items() if verdict != "ok"} == set(wrong)

    await eventually(look)


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


@pytest.mark.parametrize("service", SERVICES)
async def test_a_ready_service_names_what_it_has_asked(stage: Stage, service: str) -> None:
    """Both its database and its broker have just answered."""
    actor = await stage.start(service)
    assert (await actor.http.get("/readyz")).json() == {"status": "ok", "checks": {"database": "ok", "broker": "ok"}}
