"""The teller carries out what the bank planned: it waits, fails, withholds, and writes into the ledger."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from infra.provider.bank import Delivery, Plan, plan_charge, plan_undo
from infra.provider.faults import Faults
from infra.provider.ledger import Ledger
from infra.provider.patience import Patience
from infra.provider.problems import Failed, Overloaded, Withheld
from infra.provider.records import Ask, Charged, ChargeOutcome, KeyReused, Undone

LATE_MAX_CHARGES = 10_000
FLAKY_MAX_KEYS = 10_000
WITHHELD_MAX_ANSWERS = 2_000

Outcome = TypeVar("Outcome", bound=ChargeOutcome | Undone)
Gone = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Late:
    """A charge that is not decided yet; whoever asks for it waits for the same decision."""

    ask: Ask
    decision: asyncio.Task[ChargeOutcome]


@dataclass(slots=True)
class Teller:
    """Times are milliseconds. Raises Unanswered wherever whoever asked gets no outcome."""

    ledger: Ledger
    faults: Faults
    patience: Patience
    hold_ms: int
    late_ms: int
    withheld: int = 0
    _late: dict[str, Late] = field(default_factory=dict)
    _flaky: OrderedDict[str, int] = field(default_factory=OrderedDict)

    async def charge(self, ask: Ask, gone: Gone) -> ChargeOutcome:
        """Charge once for each key; `gone` returns when nobody waits for the answer any more."""
        plan = plan_charge(ask.token, self.faults.draw())
        return await self._deliver(plan.delivery, gone, lambda: self._decide(ask, plan))

    async def undo(self, key: str, gone: Gone) -> Undone:
        """Close the key for good, whatever became of its charge."""
        return await self._deliver(plan_undo(self.faults.draw()), gone, lambda: self.ledger.undo(key))

    async def _deliver(self, delivery: Delivery, gone: Gone, effect: Callable[[], Awaitable[Outcome]]) -> Outcome:
        if delivery.latency_ms:
            self.faults.injected.latencies += 1
            await self.patience.pause(delivery.latency_ms)
        if delivery.fails == "before":
            self.faults.injected.errors += 1
            raise Failed
        outcome = await effect()
        if delivery.fails == "after":
            self.faults.injected.errors += 1
            raise Failed
        created = isinstance(outcome, Charged) and outcome.created
        if delivery.withheld == "always":
            self.faults.injected.timeouts += 1
        if delivery.withheld == "always" or (delivery.withheld == "first" and created):
            await self._withhold(gone)
        return outcome

    async def _decide(self, ask: Ask, plan: Plan) -> ChargeOutcome:
        if (plan.late or plan.failures) and not await self._known(ask.key):
            self._fail_first(ask.key, plan.failures)
            if plan.late:
                self._begin_late(ask, plan)
        late = self._late.get(ask.key)
        if late is None:
            return await self._record(ask, plan)
        if late.ask != ask:
            return KeyReused()
        return await asyncio.shield(late.decision)

    async def _record(self, ask: Ask, plan: Plan) -> ChargeOutcome:
        outcome = await self.ledger.charge(ask, plan.reason)
        if plan.reason_injected and isinstance(outcome, Charged) and outcome.created:
            self.faults.injected.declines += 1
        return outcome

    async def _known(self, key: str) -> bool:
        account = await self.ledger.account(key)
        return account.charge is not None or account.undo is not None

    def _fail_first(self, key: str, failures: int) -> None:
        failed = self._flaky.get(key, 0)
        if failed >= failures:
            return
        self._flaky[key] = failed + 1
        self._flaky.move_to_end(key)
        if len(self._flaky) > FLAKY_MAX_KEYS:  # forgotten, a key only fails a few times more
            self._flaky.popitem(last=False)
        raise Failed

    def _begin_late(self, ask: Ask, plan: Plan) -> None:
        if ask.key in self._late:
            return
        if len(self._late) >= LATE_MAX_CHARGES:
            raise Overloaded
        decision = asyncio.create_task(self._decide_late(ask, plan))
        self._late[ask.key] = Late(ask, decision)
        decision.add_done_callback(lambda done: self._end_late(ask.key, done))

    async def _decide_late(self, ask: Ask, plan: Plan) -> ChargeOutcome:
        # Nothing is written until then: an undo that comes meanwhile finds no charge, and closes the key.
        await self.patience.pause(self.late_ms)
        return await self._record(ask, plan)

    def _end_late(self, key: str, decision: asyncio.Task[ChargeOutcome]) -> None:
        del self._late[key]
        if not decision.cancelled():
            decision.exception()  # seen, even where nobody waited for it

    async def _withhold(self, gone: Gone) -> None:
        if self.withheld >= WITHHELD_MAX_ANSWERS:
            raise Withheld  # at once: no answer either, and nothing is held
        self.withheld += 1
        waits = [asyncio.ensure_future(gone()), asyncio.ensure_future(self.patience.pause(self.hold_ms))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self.withheld -= 1
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        raise Withheld
