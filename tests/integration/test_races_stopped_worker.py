"""A real process that is stopped in the middle of a charge: others go on without it, and it wakes too late."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from signal import SIGCONT

import psutil
import pytest
import pytest_asyncio

from infra.native.child import Child
from infra.native.logs import log_file
from shared.vocabulary.order import OrderCancelled
from tests.integration.asking import bought, cancel
from tests.integration.carrying import carried
from tests.integration.ends import CONFIRMED, End, cancelled, ends, ignored, settles
from tests.integration.gates import gated_payment
from tests.integration.processes import begun
from tests.integration.stage import Actor, Stage
from tests.waiting import eventually

pytestmark = pytest.mark.integration

CHARGE_ANSWERED = "payment.charge_answered.v1"
VOIDED = cancelled("customer_request", "voided", "voided")
REFUNDED = cancelled("customer_request", "refunded", "captured", "refunded")


@pytest_asyncio.fixture
async def order(stage: Stage) -> Actor:
    """Order, with inventory and notification beside it, and one violin to be had."""
    await stage.offer(violin=1)
    return (await stage.start_some("order", "inventory", "notification"))["order"]


@asynccontextmanager
async def payment(stage: Stage, logs: Path, stops: str) -> AsyncIterator[Child]:
    """Run payment as a process that stops itself before or after it charges."""
    settings = {"QUARTET_STOPS": stops, "QUARTET_LOG_LEVEL": "DEBUG"}
    async with begun(stage, "payment", "tests.integration.stopping", logs, **settings) as child:
        yield child


async def stopped(child: Child) -> None:
    """Wait until a process has stopped."""

    async def look() -> None:
        assert psutil.Process(child.pid).status() == psutil.STATUS_STOPPED

    await eventually(look)


@pytest.mark.parametrize(("stops", "end"), [("before", VOIDED), ("after", REFUNDED)], ids=["before", "after"])
async def test_it_wakes_when_the_order_is_undone(
    order: Actor, stage: Stage, tmp_path: Path, stops: str, end: End
) -> None:
    """Stopped before it charged, it charges now and is refused; stopped after, it brings home what is refunded.

    Safeguards: the key that an undo closes, at the provider; an answer that comes after the undo is ignored.
    """
    async with payment(stage, tmp_path, stops) as child:
        order_id = await bought(order, violin=1)
        await stopped(child)
        async with gated_payment(stage) as (other, _):
            await cancel(order, order_id)
            await other.shell.submit(await carried(stage.auditor, OrderCancelled, order_id))
            await settles(stage.auditor, order_id)
            child.send(SIGCONT)
            await ignored(stage.auditor, "payment", CHARGE_ANSWERED, "the order is cancelled: the undo decides")
            await ends(stage, order_id, end)


@pytest.mark.parametrize("stops", ["before", "after"])
async def test_it_wakes_when_another_has_charged(order: Actor, stage: Stage, tmp_path: Path, stops: str) -> None:
    """Its lease is over and another has charged for it: the provider gives both the same answer, which counts once.

    Safeguards: one key for each order, at the provider; an answer's id, which is derived from what it says.
    """
    async with payment(stage, tmp_path, stops) as child:
        order_id = await bought(order, violin=1)
        await stopped(child)
        await stage.auditor.let_leases_pass("payment")
        async with gated_payment(stage):
            await settles(stage.auditor, order_id)
            child.send(SIGCONT)

            async def answered_again() -> None:
                assert f"{CHARGE_ANSWERED} seen before" in log_file(tmp_path, "payment").read_text()

            await eventually(answered_again)
            await ends(stage, order_id, CONFIRMED)
    assert await stage.auditor.count("payment_service.inbox", "type = $1", CHARGE_ANSWERED) == 1
