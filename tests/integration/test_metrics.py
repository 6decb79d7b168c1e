"""What the services count while an order goes its way; nothing of it tells of a customer."""

import re

import pytest

from infra.ports import SERVICES
from tests.integration.operating import set_aside
from tests.integration.shop import APPROVED, LocalShop
from tests.integration.stage import Actor, Stage

pytestmark = pytest.mark.integration

SAMPLE = re.compile(r"^(\w+)(\{[^}]*\})? (\S+)$")


async def scraped(actor: Actor) -> dict[str, float]:
    """Scrape a service: each sample with its labels, but for the service."""
    answer = await actor.http.get("/metrics")
    assert answer.status_code == 200
    assert "@" not in answer.text
    assert "tok_" not in answer.text
    found = (SAMPLE.match(line) for line in answer.text.splitlines() if not line.startswith("#"))
    own = f'service="{actor.name}"'
    return {
        match[1] + (match[2] or "").replace(f",{own}", "").replace(own, ""): float(match[3]) for match in found if match
    }


async def test_an_order_is_counted_wherever_it_comes_by(stage: Stage, actors: dict[str, Actor]) -> None:
    """One that is confirmed, and one that is declined and undone."""
    await stage.offer(bow=2)
    async with LocalShop(stage, actors) as shop:
        await shop.bought({"bow": 1}, APPROVED)
        await shop.bought({"bow": 1}, "tok_declined")
    await stage.auditor.quiescent()
    told = {service: await scraped(actors[service]) for service in SERVICES}
    order, payment, notification = told["order"], told["payment"], told["notification"]
    advanced = 'quartet_reactions_total{event="order.%s",outcome="advanced"}'
    assert order[advanced % "placement_requested"] == 2
    assert {told[service][advanced % "placed"] for service in ("inventory", "payment")} == {2}
    assert notification[advanced % "confirmed"] == notification[advanced % "cancelled"] == 1
    assert order['quartet_relay_messages_total{event="order.placed",result="confirmed"}'] == 2
    assert payment['quartet_intents_total{kind="charge",result="answered"}'] == 2
    assert payment['quartet_intent_seconds_count{kind="charge"}'] == 2
    for outcome in ("confirmed", "payment_declined"):
        assert order[f'quartet_saga_seconds_count{{outcome="{outcome}"}}'] == 1
    for each in told.values():
        assert 0 < each["quartet_reacting_seconds_sum{}"] < each["quartet_commit_seconds_sum{}"]
        assert each["quartet_batch_events_count{}"] == each["quartet_commit_seconds_count{}"]


async def test_retries_and_dead_letters_are_counted(stage: Stage) -> None:
    """The letters by whoever has them now, and no more often than the backlog is looked at."""
    await set_aside(stage, 2)
    told = await scraped(await stage.start("notification"))
    lane = '{lane="notification.order.confirmed"}'
    assert told[f"quartet_dead_letters{lane}"] == 2
    assert told['quartet_dead_letters{lane="elsewhere"}'] == 0
