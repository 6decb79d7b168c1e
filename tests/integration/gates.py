"""Doors at the payment provider: what is asked of it and what it answers passes when a test lets it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import UUID

from services.payment.effects import Patience, performers_over
from services.payment.events import ChargeResult, UndoResult
from services.payment.provider import Provider, ProviderError
from shared.clock import SystemClock
from shared.intents import IntentLimits, IntentWorkers
from shared.runtime import Runtime
from shared.vocabulary.money import Money
from tests.integration.half import replica
from tests.integration.stage import Stage
from tests.waiting import DEADLINE_S, eventually

ATTEMPTS_MAX = 6


class Gate:
    """A door, open at first, that tells when somebody stands before it."""

    def __init__(self) -> None:
        self._opened, self._reached = asyncio.Event(), asyncio.Event()
        self._opened.set()

    def close(self) -> None:
        """Let nobody pass from now on."""
        self._opened.clear()

    def open(self) -> None:
        """Let everybody pass."""
        self._opened.set()

    async def passed(self) -> None:
        """Stand before it until it is open."""
        self._reached.set()
        await self._opened.wait()

    async def reached(self) -> None:
        """Wait until somebody has stood before it.

        Raises:
            TimeoutError: nobody came.
        """
        async with asyncio.timeout(DEADLINE_S):
            await self._reached.wait()


class GatedProvider:
    """The real provider behind four doors: a request before it leaves, an answer before it is brought home."""

    def __init__(self, url: str) -> None:
        self._provider = Provider(url)
        self.charge_leaves, self.charge_answers = Gate(), Gate()
        self.undo_leaves, self.undo_answers = Gate(), Gate()
        self.loses_answers = False
        """Whatever the provider says of a charge gets lost on the way home."""

    async def charge(self, order_id: UUID, money: Money, token: str) -> tuple[ChargeResult, str]:
        """Charge at the real provider, past two doors."""
        await self.charge_leaves.passed()
        answer = await self._provider.charge(order_id, money, token)
        await self.charge_answers.passed()
        if self.loses_answers:
            raise ProviderError("its answer got lost")
        return answer

    async def undo(self, order_id: UUID) -> tuple[UndoResult, str]:
        """Undo at the real provider, past two doors."""
        await self.undo_leaves.passed()
        answer = await self._provider.undo(order_id)
        await self.undo_answers.passed()
        return answer

    def open(self) -> None:
        """Let everything pass."""
        for gate in (self.charge_leaves, self.charge_answers, self.undo_leaves, self.undo_answers):
            gate.open()


def patience(attempts_max: int = ATTEMPTS_MAX) -> Patience:
    """Give up after so many asks, and on no other account."""
    return Patience(attempts_max, charge_patience_s=3600, undo_alarm_after_s=3600, undo_alarm_interval_s=3600)


@asynccontextmanager
async def gated_payment(stage: Stage, attempts_max: int = ATTEMPTS_MAX) -> AsyncIterator[tuple[Runtime, GatedProvider]]:
    """Play a replica of payment that speaks to the provider through doors; at the end they are open."""
    provider = GatedProvider(stage.outside.provider_url)
    async with stage.runtime(
        "payment", performers=performers_over(provider, patience(attempts_max), SystemClock())
    ) as runtime:
        try:
            yield runtime, provider
        finally:
            provider.open()


@asynccontextmanager
async def second_worker(stage: Stage, gate: Callable[[GatedProvider], Gate]) -> AsyncIterator[Gate]:
    """Have another replica of payment do what the first has begun, as far as a closed door; gives that door.

    The lease of the first is over, and the second has asked the provider for the same.
    """
    provider = GatedProvider(stage.outside.provider_url)
    (closed := gate(provider)).close()
    performers = {kind.kind: one for kind, one in performers_over(provider, patience(), SystemClock()).items()}
    async with replica(stage, "payment") as other:
        workers = IntentWorkers(performers, other.shell, other.store, SystemClock(), IntentLimits())

        async def take_over() -> None:
            await stage.auditor.let_leases_pass("payment")
            assert await workers.poll() == 1

        try:
            await eventually(take_over)
            await closed.reached()
            yield closed
        finally:
            provider.open()
            await workers.drained()
