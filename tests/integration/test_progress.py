"""How far things have come at one service: what became of events here, and what an order still intends."""

from datetime import datetime
from typing import Any

import pytest

from shared.http.observing import ASKED_MAX_EVENTS
from shared.ids import new_id
from shared.store.progress import Progress
from shared.vocabulary.order import CancelReason, OrderCancelled
from tests.integration.asking import is_problem
from tests.integration.half import half
from tests.integration.letters import ATTEMPTS_MAX
from tests.integration.operating import KEY, looked, operated, set_aside
from tests.integration.stage import Actor, Stage
from tests.integration.test_intents import charges, claim
from tests.integration.wire import confirmed, item

pytestmark = pytest.mark.integration


async def became(actor: Actor, *event_ids: object) -> dict[str, tuple[str, str | None]]:
    """Ask what became of events, and why."""
    asked = [str(event_id) for event_id in event_ids]
    outcomes: dict[str, Any] = (await operated(actor, "/outcomes", events=asked))["outcomes"]
    assert all(each["at"] for each in outcomes.values())
    return {event_id: (each["outcome"], each["why"]) for event_id, each in outcomes.items()}


async def test_what_became_of_events(stage: Stage) -> None:
    """Reacted to, ignored with the reason, set aside, dropped; what has not come yet is told from all of these."""
    (dead,) = await set_aside(stage)
    order_id = new_id()
    cancelled = item(OrderCancelled(order_id=order_id, reason=CancelReason.OUT_OF_STOCK, email="c@example.org"))
    late, unknown = item(confirmed(order_id)), new_id()
    async with half(stage, "notification") as process:
        await process.shell.submit(cancelled)
        await process.shell.submit(late)
    actor = await stage.start("notification")
    asked = [cancelled.envelope.event_id, late.envelope.event_id, dead.event_id]
    told = [(await became(actor, *asked, unknown)).get(str(event_id)) for event_id in (*asked, unknown)]
    assert told == [
        ("advanced", None),
        ("ignored", "the order was cancelled meanwhile"),
        ("dead", f"BrokenError: cannot react to {dead.correlation_id}, at attempt {ATTEMPTS_MAX}"),
        None,
    ]
    await operated(actor, "/dead-letters/drop", all=True, why="a test")
    assert await became(actor, dead.event_id) == {str(dead.event_id): ("dropped", "a test")}


@pytest.mark.parametrize("count", [0, ASKED_MAX_EVENTS + 1])
async def test_so_many_may_be_asked_about(stage: Stage, count: int) -> None:
    """Some, and no more than there is room for."""
    actor = await stage.start("notification")
    body = {"events": [str(new_id())] * count}
    is_problem(await actor.http.post("/outcomes", json=body, headers=KEY), 422)


async def test_what_an_order_intends(stage: Stage) -> None:
    """With its attempts, its last error, and until when it is whose."""
    async with half(stage, "payment") as process:
        order_id, _ = await charges(process, 2)
        (leased,) = await Progress(process.store.engine).of_order(order_id, 10)
        assert (leased.kind, leased.attempts, leased.last_error, leased.parked_at) == ("charge", 1, None, None)
        assert leased.leased_until is not None
        assert leased.leased_until > leased.due_at
        await stage.auditor.let_leases_pass("payment")
        for taken in await claim(process):
            await process.store.reschedule(taken, 600, "ProviderError: away")
    actor = await stage.start("payment")
    (again,) = (await looked(actor, "/intents", order=order_id))["intents"]
    assert (again["key"], again["attempts"], again["last_error"]) == (str(leased.key), 2, "ProviderError: away")
    assert again["leased_until"] is None
    assert datetime.fromisoformat(again["due_at"]) > leased.due_at
    assert await looked(actor, "/intents", order=new_id()) == {"intents": []}
