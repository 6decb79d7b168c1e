"""Every event of a dance, given to two replicas at once: one of them reacts, and the other finds it done."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

import pytest

from infra.ports import SERVICES
from services.order.events import CancellationRequested
from shared.batch import Duplicate, Item
from shared.clock import SystemClock
from shared.envelope import Envelope
from shared.event import Event
from shared.ids import new_id
from shared.intents import IntentLimits, IntentWorkers
from shared.vocabulary.inventory import StockCommitted, StockRejected, StockReleased, StockReserved
from shared.vocabulary.order import OrderCancelled, OrderConfirmed, OrderPlaced
from shared.vocabulary.payment import PaymentCaptured, PaymentDeclined, PaymentRefunded, PaymentVoided
from tests.integration.asking import bought
from tests.integration.carrying import carried
from tests.integration.ends import End, cancelled, ends
from tests.integration.half import Half, replica
from tests.integration.stage import PROGRAMS, Stage
from tests.waiting import eventually

pytestmark = pytest.mark.integration

Pairs: TypeAlias = Mapping[str, tuple[Half, Half]]
Step: TypeAlias = tuple[str, type[Event]] | str
"""An event at a service; or what no event brings: payment asks the provider, the customer cancels."""
ASK, CANCEL = "ask", "cancel"
CHARGE: tuple[Step, ...] = (("inventory", OrderPlaced), ("payment", OrderPlaced), ("payment", StockReserved), ASK)
UNDO: tuple[Step, ...] = tuple((service, OrderCancelled) for service in ("inventory", "payment", "notification"))


@dataclass(frozen=True, slots=True)
class Dance:
    """Every step of an order, in one order in which they may come, and what it comes to."""

    name: str
    steps: tuple[Step, ...]
    end: End
    violins: int = 1
    decline_rate: float = 0.0


DANCES = (
    Dance(
        "cancelled when it is sold",
        (
            *CHARGE,
            *(("order", PaymentCaptured), ("inventory", OrderConfirmed), ("notification", OrderConfirmed)),
            *(("order", StockCommitted), CANCEL, *UNDO, ASK, ("order", StockReleased), ("order", PaymentRefunded)),
        ),
        cancelled("customer_request", "refunded", "captured", "refunded", confirmed=True),
    ),
    Dance(
        "declined",
        (*CHARGE, ("order", PaymentDeclined), *UNDO, ASK, ("order", StockReleased), ("order", PaymentVoided)),
        cancelled("payment_declined", "voided", "declined", "voided"),
        decline_rate=1.0,
    ),
    Dance(
        "out of stock",
        (
            *(("inventory", OrderPlaced), ("payment", OrderPlaced), ("order", StockRejected)),
            *(*UNDO, ("order", StockReleased), ("order", PaymentVoided)),
        ),
        cancelled("out_of_stock", "voided"),
        violins=0,
    ),
)


@asynccontextmanager
async def two_of_each(stage: Stage) -> AsyncIterator[Pairs]:
    """Run two replicas of every service, which are given their events by hand."""
    async with AsyncExitStack() as stack:
        halves = {name: [await stack.enter_async_context(replica(stage, name)) for _ in range(2)] for name in SERVICES}
        yield {name: (one, other) for name, (one, other) in halves.items()}


async def react(stage: Stage, pairs: Pairs, service: str, item: Item) -> None:
    """Give an event to both replicas of a service at once: they meet at its row of the inbox."""
    inbox = f"INSERT INTO {service}_service.inbox (event_id, type) VALUES ($1, 'other')"  # noqa: S608 - ours
    async with stage.auditor.held(inbox, item.envelope.event_id):
        both = [one.shell.submit(item) for one in pairs[service]]
        await stage.auditor.waiting(f"{service}_service", 2)
    results = [result for (result,) in await asyncio.gather(*both)]
    assert sum(isinstance(result, Duplicate) for result in results) == 1, (service, item.envelope.type, results)


async def ask(stage: Stage, process: Half) -> None:
    """Have a replica of payment do at the provider what it intends."""
    performers = PROGRAMS["payment"].performers(stage.settings("payment"))
    by_kind = {kind.kind: performer for kind, performer in performers.items()}
    workers = IntentWorkers(by_kind, process.shell, process.store, SystemClock(), IntentLimits())

    async def take() -> None:
        await stage.auditor.let_leases_pass("payment")
        assert await workers.poll() == 1

    await eventually(take)
    await workers.drained()


async def step(stage: Stage, pairs: Pairs, order_id: UUID, next_step: Step) -> None:
    """Take one step of a dance."""
    if next_step == ASK:
        await ask(stage, pairs["payment"][0])
    elif next_step == CANCEL:
        wish = Item(Envelope(new_id(), CancellationRequested(order_id=order_id), order_id))
        await react(stage, pairs, "order", wish)
    else:
        assert isinstance(next_step, tuple)
        service, event = next_step
        await react(stage, pairs, service, await carried(stage.auditor, event, order_id))


@pytest.mark.parametrize("dance", DANCES, ids=lambda dance: dance.name)
async def test_every_event_at_two_replicas_at_once(stage: Stage, dance: Dance) -> None:
    """Whoever is second finds every event done; then all of them come once more, over the broker.

    Safeguard: an event's id is inserted into the inbox before anything is done about it.
    """
    await stage.offer(violin=dance.violins)
    order = await stage.start("order")
    order_id = await bought(order, violin=1)
    await order.stop()
    async with two_of_each(stage) as pairs, stage.outside.faults(decline_rate=dance.decline_rate):
        for next_step in dance.steps:
            await step(stage, pairs, order_id, next_step)
    await stage.auditor.let_leases_pass("notification")
    await stage.start_all()
    await ends(stage, order_id, dance.end)
