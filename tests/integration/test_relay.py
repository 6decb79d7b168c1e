"""The outbox: what a commit wrote for others goes out at least once, whoever dies, and nobody sends it without need."""

import asyncio
from collections import Counter

import pytest

from tests.integration.half import SWEEP_MAX_EVENTS, Half, half
from tests.integration.stage import Stage
from tests.integration.wire import item, placed
from tests.waiting import eventually

pytestmark = pytest.mark.integration

LANE = "payment.stock.reserved"
OUTBOX = "inventory_service.outbox"
ROWS = 5 * SWEEP_MAX_EVENTS


async def reserve(stage: Stage, process: Half, orders: int = 1) -> None:
    """Have a process commit so many `stock.reserved`."""
    await stage.offer(rosin=orders)
    await process.shell.submit(*(item(placed(rosin=1)) for _ in range(orders)))


async def swept(process: Half) -> None:
    """Sweep until nothing is left to claim, and delete what was confirmed."""
    while await process.relay.sweep():
        pass
    await process.relay.flushed()


async def test_a_relay_that_dies_between_confirm_and_delete_costs_a_duplicate(stage: Stage) -> None:
    """The row is published again by somebody else, after the grace and not before, and the consumer drops it."""
    async with half(stage, "inventory") as process:
        await reserve(stage, process)

        async def confirmed() -> None:
            assert await stage.auditor.depths([LANE]) == {LANE: 1}

        await eventually(confirmed)
    assert await stage.auditor.count(OUTBOX) == 1

    async with half(stage, "inventory") as sweeper:
        assert await sweeper.relay.sweep() == 0, "the grace of the writer is not over"
        await stage.auditor.let_grace_pass("inventory")
        await swept(sweeper)
        assert sweeper.published.total() == 1
    assert await stage.auditor.count(OUTBOX) == 0
    assert await stage.auditor.depths([LANE]) == {LANE: 2}

    async with stage.runtime("payment"):
        await stage.auditor.done("payment")
    assert await stage.auditor.count("payment_service.inbox", "outcome = 'advanced'") == 1
    assert await stage.auditor.count("payment_service.inbox") == 1


async def test_two_relays_that_sweep_at_once_publish_each_row_once(stage: Stage) -> None:
    """They share what is there, whichever claims it."""
    async with half(stage, "inventory", publishes=False) as one, half(stage, "inventory") as other:
        await reserve(stage, one, ROWS)
        await stage.auditor.let_grace_pass("inventory")
        async with stage.auditor.held(f"LOCK TABLE {OUTBOX} IN SHARE MODE"):  # which lets both begin at one moment
            sweeping = asyncio.gather(swept(one), swept(other))
            await stage.auditor.waiting("inventory_service", 2)
        await sweeping
        published: Counter[str] = one.published + other.published
    assert len(published) == ROWS
    assert set(published.values()) == {1}
    assert await stage.auditor.count(OUTBOX) == 0


async def test_a_sweeper_takes_nothing_that_is_under_way(stage: Stage) -> None:
    """A row that was claimed belongs to its claimer for a grace, as a fresh one belongs to its writer."""
    async with half(stage, "inventory", publishes=False) as one, half(stage, "inventory") as other:
        await reserve(stage, one, 3)
        await stage.auditor.let_grace_pass("inventory")
        assert await one.relay.sweep() == 3
        assert await other.relay.sweep() == 0
        assert await stage.auditor.count(OUTBOX, "available_at > now() AND attempts = 1") == 3


async def test_a_sweeper_does_not_wait_for_locked_rows(stage: Stage) -> None:
    """Rows that another transaction holds are passed over; their neighbours go out."""
    async with half(stage, "inventory", publishes=False) as process:
        await reserve(stage, process, 10)
        await stage.auditor.let_grace_pass("inventory")
        some = f"SELECT FROM {OUTBOX} WHERE event_id IN (SELECT event_id FROM {OUTBOX} LIMIT 4) FOR UPDATE"  # noqa: S608 - ours
        async with stage.auditor.held(some):
            async with asyncio.timeout(5):
                assert await process.relay.sweep() == 6
        await swept(process)
        assert process.published.total() == 10


async def test_the_hot_way_leaves_nothing_to_sweep(stage: Stage) -> None:
    """What is confirmed right after its commit is deleted with the next one, or alone when there is none."""
    async with half(stage, "inventory") as process:
        await reserve(stage, process, ROWS)
        await process.relay.flushed()
        assert await stage.auditor.count(OUTBOX) == 0
        assert set(process.published.values()) == {1}
        assert len(process.published) == ROWS
