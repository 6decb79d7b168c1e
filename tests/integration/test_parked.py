"""What is parked waits for a person: shown with the reason, and tried anew with all its attempts once released."""

import pytest

from shared.http.parked import PAGE_MAX_ROWS
from shared.store.parked import FIRST, ParkedRows
from tests.integration.asking import is_problem
from tests.integration.half import half
from tests.integration.operating import KEY, acts, looked, operated
from tests.integration.stage import AS_OPERATOR, Stage
from tests.integration.test_intents import charges, claim
from tests.integration.test_relay import reserve, swept
from tests.waiting import eventually

pytestmark = pytest.mark.integration

INTENTS = "payment_service.intents"
OUTBOX = "inventory_service.outbox"
LANE = "payment.stock.reserved"


async def parked_charge(stage: Stage) -> str:
    """Have payment park a charge, after an attempt that was answered and raised; give the order's id."""
    async with half(stage, "payment") as process:
        (order_id,) = await charges(process)
        await stage.auditor.let_leases_pass("payment")
        (claimed,) = await claim(process)
        await process.store.reschedule(claimed, 600, "ValueError: no", raised=True)
        await process.store.park(claimed, "ValueError: no")
        return str(order_id)


async def test_a_parked_intent_is_shown_and_released(stage: Stage) -> None:
    """It is carried out as if it were new, and the release is recorded."""
    order_id = await parked_charge(stage)
    actor = await stage.start("payment")
    (shown,) = (await looked(actor, "/parked"))["parked"]
    assert (shown["what"], shown["kind"], shown["order_id"]) == ("intent", "charge", order_id)
    assert (shown["last_error"], shown["attempts"]) == ("ValueError: no", 2)
    assert await operated(actor, "/parked/release", all=True, dry_run=True) == {"ids": [shown["id"]], "more": False}
    assert await stage.auditor.count(INTENTS, "parked_at IS NOT NULL") == 1
    assert await acts(actor) == []
    assert await operated(actor, "/parked/release", ids=[shown["id"]]) == {"ids": [shown["id"]], "more": False}

    async def captured() -> None:
        assert (await actor.http.get(f"/payments/{order_id}", headers=AS_OPERATOR)).json()["status"] == "captured"

    await eventually(captured)
    assert await acts(actor) == [("release", "1 by id", {"ids": [shown["id"]], "released": 1})]


async def test_a_released_intent_has_all_its_attempts_before_it(stage: Stage) -> None:
    """It is due at once, however often it was tried before; what is not parked is left alone."""
    await parked_charge(stage)
    async with half(stage, "payment") as process:
        await charges(process)
        rows = ParkedRows(process.store.engine)
        (parked,) = await rows.page(FIRST, 10)
        (other,) = await stage.auditor.rows(f"SELECT intent_id FROM {INTENTS} WHERE parked_at IS NULL")  # noqa: S608 - ours
        assert await rows.named([other["intent_id"]]) == []
        assert await rows.release([parked.id, other["intent_id"]], "two") == 1
    new = "intent_id = $1 AND parked_at IS NULL AND attempts = 0 AND raised = 0 AND due_at <= now()"
    assert await stage.auditor.count(INTENTS, new, parked.id) == 1
    assert await stage.auditor.count(INTENTS, "intent_id = $1 AND attempts = 1", other["intent_id"]) == 1


async def test_a_parked_event_is_shown_and_goes_out_once_released(stage: Stage) -> None:
    """No sweep takes it before; its neighbours go out."""
    async with half(stage, "inventory", publishes=False) as process:
        await reserve(stage, process, 2)
        unfit = await stage.auditor.value(f"SELECT event_id FROM {OUTBOX} LIMIT 1")  # noqa: S608 - ours
        await process.store.park_unsent({unfit: "TypeError: cannot be written"})
        await stage.auditor.let_grace_pass("inventory")
        await swept(process)
        assert process.published.total() == 1
    assert await stage.auditor.depths([LANE]) == {LANE: 1}
    actor = await stage.start("inventory")
    (shown,) = (await looked(actor, "/parked"))["parked"]
    assert (shown["what"], shown["kind"], shown["id"]) == ("event", "stock.reserved.v1", str(unfit))
    assert shown["last_error"] == "TypeError: cannot be written"
    await operated(actor, "/parked/release", all=True)

    async def out() -> None:
        assert await stage.auditor.depths([LANE]) == {LANE: 2}
        assert await stage.auditor.count(OUTBOX) == 0

    await eventually(out)


async def test_no_more_is_released_at_once_than_is_listed(stage: Stage) -> None:
    """Whether there are more is said."""
    actor = await stage.start("notification")
    for count, more in ((PAGE_MAX_ROWS, False), (1, True)):
        await stage.auditor.rows(
            "INSERT INTO notification_service.outbox (event_id, available_at, parked_at)"
            " SELECT gen_random_uuid(), now(), now() FROM generate_series(1, $1)",
            count,
        )
        told = await operated(actor, "/parked/release", all=True, dry_run=True)
        assert told["more"] is more
    assert len(told["ids"]) == PAGE_MAX_ROWS


@pytest.mark.parametrize("body", [{}, {"all": False}, {"ids": []}, {"ids": ["1"]}, {"all": True, "ids": []}], ids=str)
async def test_it_must_be_said_what_to_release(stage: Stage, body: dict[str, object]) -> None:
    """In exactly one way."""
    actor = await stage.start("notification")
    is_problem(await actor.http.post("/parked/release", json=body, headers=KEY), 422)
