"""One process of one service: the real shell, relay, intent workers and receiver, between doors of the world's.

Between two steps nothing of it is under way but questions to outside parties. So all that it remembers can be said in
a `Memory`, and a process can be made anew from that: this is how the world goes back to an earlier moment.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from services.notification import effects as notification
from services.order import effects as order
from services.payment import effects as payment
from services.payment.events import ChargeResult, UndoResult
from shared.intents import IntentLimits, IntentWorkers, Performer
from shared.letters import Keeper
from shared.outcome import Intent
from shared.ports import Claim, Message, NotConfirmedError, Posted, Store, WorldError
from shared.reactions import Reactions
from shared.receiving import Receiver
from shared.relay import Relay, RelayLimits
from shared.retries import Retries
from shared.shell import Committed, Shell
from shared.vocabulary.money import Money
from tests.simulation.broker import TIERS_MS, Parcel, routed
from tests.simulation.instants import Effect, Fault, Instant
from tests.simulation.loop import StepLoop
from tests.simulation.store import START, At
from tests.simulation.tables import Tables

BATCH_MAX_EVENTS, WAITING_MAX_WORKS = 100, 1_000
PATIENCE = payment.Patience(2, charge_patience_s=1e9, undo_alarm_after_s=1e9, undo_alarm_interval_s=1.0)
"""A provider that was silent twice is given up on."""
RAISED_MAX = 2
"""So often an answer may raise before its intent is parked."""


class Asking(NamedTuple):
    """A question to an outside party that has no answer yet: of an intent, under the token of one claim."""

    intent_id: UUID
    token: int


class Question(NamedTuple):
    """What is on its way to an outside party. It stays on its way when who asked has died."""

    service: str
    asking: Asking
    kind: str
    order_id: UUID
    money: Money | None = None


@dataclass(frozen=True)
class Memory:
    """What a process knows that no table does; gone when it dies."""

    life: int = 1
    confirmed: frozenset[Posted] = frozenset()
    """Outbox rows that the broker has confirmed, not deleted yet."""
    asking: tuple[Claim, ...] = ()

    @cached_property
    def key(self) -> int:
        """A hash of all that decides what can happen next."""
        return hash((self.life, self.confirmed, frozenset((claim.intent_id, claim.token) for claim in self.asking)))

    def apart(self, orders: Collection[UUID]) -> tuple["Memory", tuple[Claim, ...]]:
        """Part what it asks about some orders, with all else that it remembers, from what it asks about others."""
        far = tuple(claim for claim in self.asking if claim.correlation_id not in orders)
        near = tuple(claim for claim in self.asking if claim.correlation_id in orders) if far else self.asking
        return (replace(self, asking=near) if far else self), far

    def beside(self, far: tuple[Claim, ...]) -> "Memory":
        """Put what it asks about other orders back, in an order that does not tell what was asked first."""
        return replace(self, asking=tuple(sorted((*far, *self.asking), key=_name)))


def _name(claim: Claim) -> Asking:
    return Asking(claim.intent_id, claim.token)


class Schema(Store, Keeper, Protocol):
    """One service's schema, with the times that have come in it. See `MemoryStore`."""

    tables: Tables
    available: Collection[UUID]
    due: Collection[UUID]
    removed: Collection[str]


class Handed:
    """A message in the hands of a process."""

    def __init__(self, parcel: Parcel, at: At) -> None:
        self.parcel = parcel
        self.body = parcel.body
        self.message_id = parcel.message_id
        self.redelivered = parcel.redelivered
        self.headers: Mapping[str, Any] = dict(parcel.headers)
        self.acked = False
        self._at = at

    async def ack(self) -> None:
        """Have the broker forget it."""
        await self._at(Instant.ACK)
        self.acked = True


class Standstill:
    """A clock on which nothing takes any time."""

    def monotonic_s(self) -> float:
        """Stand still."""
        return 0.0

    def now(self) -> datetime:
        """Stand still."""
        return START

    async def sleep(self, seconds: float) -> None:
        """Let others run, and go on."""
        await asyncio.sleep(0)


class Wavering:
    """A reaction table whose reactions raise while they are told to, as a bug would that a new release mends."""

    def __init__(self, table: Reactions) -> None:
        self._table = table
        self.raises = False

    def react(self, event: Any, state: Any) -> Any:
        """React, or raise."""
        if self.raises:
            raise RuntimeError("a bug")
        return self._table.react(event, state)


class Process:
    """Use `run` for each step; afterwards `sent`, `questions` and `memory` tell what came of it.

    `schema` gives what it stores in, told where something may go wrong.
    """

    def __init__(self, table: Reactions, memory: Memory, schema: Callable[[At], Schema]) -> None:
        self.service = table.service
        self.loop = StepLoop()
        self.memory = memory
        self.fault: Fault | None = None
        self.is_dead = False
        self.gone: Collection[str] = ()
        """Queues that are not there."""
        self.sent: list[Parcel] = []
        self.questions: list[Question] = []
        self.heard: UUID | None = None
        self._asked: dict[Asking, tuple[Claim, asyncio.Future[Any]]] = {}
        self._claim: Claim | None = None
        self._restoring = False
        clock = Standstill()
        self.table = Wavering(table)
        self.store = schema(self.at)
        self.relay = Relay(self.service, self.store, self, clock, RelayLimits())
        life = UUID(int=memory.life)
        self.shell = Shell(
            self.table, self.store, self.relay, clock, self._committed,  # type: ignore[arg-type]  # it reacts alike
            life=life, batch_max_events=BATCH_MAX_EVENTS, waiting_max_works=WAITING_MAX_WORKS,
        )  # fmt: skip
        performers = {intent.kind: self._noting(each) for intent, each in self._performers(clock).items()}
        self.workers = IntentWorkers(
            performers, self.shell, self.store, clock, IntentLimits(answers_raised_max=RAISED_MAX)
        )
        self.receiver = Receiver(self.shell, Retries(self, clock, TIERS_MS), self.store, clock)
        self.loop.run(self.shell.run())
        self._restore()

    def _restore(self) -> None:
        self._restoring = True
        self.relay.restore(list(self.memory.confirmed))
        if self.memory.asking:
            self.loop.run(self._offer(self.memory.asking))
        self._restoring = False

    async def _offer(self, claims: Sequence[Claim]) -> None:
        self.workers.offer(claims, 0.0)

    def is_as(self, memory: Memory) -> bool:
        """Whether it can go on as a process of that memory, and if that takes little, make it one."""
        if self.memory is memory:
            return not self.is_dead
        if self.is_dead or memory.life != self.memory.life or memory.asking or self.memory.asking:
            return False
        self.relay.take()
        self.relay.restore(list(memory.confirmed))
        self.memory = memory
        return True

    def run(self, tables: Tables, work: Any, fault: Fault | None = None) -> Tables:
        """Do one step, with at most one fault in it, and give the tables that it leaves behind."""
        self.store.tables, self.fault = tables, fault
        self.sent, self.questions, self.heard = [], [], None
        self.loop.run(work)
        self.is_dead |= self.loop.is_endless
        self.memory = self._remembered()
        return self.store.tables

    def _remembered(self) -> Memory:
        if self.is_dead:
            return Memory(self.memory.life + 1)
        confirmed = frozenset(self.relay.take())
        self.relay.restore(list(confirmed))
        asking = tuple(sorted((claim for claim, _ in self._asked.values()), key=_name))
        if confirmed == self.memory.confirmed and asking == self.memory.asking:
            return self.memory
        return Memory(self.memory.life, confirmed, asking)

    async def at(self, instant: Instant) -> None:
        """Let what the step has planned for this instant go wrong.

        Raises:
            WorldError: there is no answer.
        """
        if self.fault is None or self.fault.at is not instant or self.fault.effect is Effect.PART:
            return
        effect, self.fault = self.fault.effect, None
        if effect is Effect.FAIL:
            raise WorldError(f"no answer as {instant}")
        self.is_dead = True
        if effect is Effect.CRASH:
            self.loop.stop()
        await self.loop.create_future()

    async def publish(self, messages: Iterable[Message]) -> Sequence[NotConfirmedError | None]:
        """Publish, as the publisher port does."""
        messages = list(messages)
        if not messages:
            return []
        hot = messages[0].exchange.endswith(".events")
        before, after = (Instant.PUBLISH, Instant.PUBLISHED) if hot else (Instant.SET_BACK, Instant.IS_SET_BACK)
        if self.fault == Fault(before, Effect.PART) and len(messages) > 1:
            self.fault = None
            return [
                self._routed(messages[0]),
                *[NotConfirmedError("the broker took the first alone")] * len(messages[1:]),
            ]
        try:
            await self.at(before)
            errors = [self._routed(message) for message in messages]
            await self.at(after)
        except WorldError as error:
            return [NotConfirmedError(str(error))] * len(messages)
        return errors

    def _routed(self, message: Message) -> NotConfirmedError | None:
        try:
            self.sent += routed(message, self.gone)
        except NotConfirmedError as error:
            return None if "mandatory publish" in self.store.removed else error
        return None

    def _committed(self, committed: Committed) -> None:
        self.relay.offer(committed.unsent, committed.began_s)
        self.workers.offer(committed.claims, committed.began_s)

    def _performers(self, clock: Standstill) -> Mapping[type[Intent], Performer]:
        match self.service:
            case "payment":
                return payment.performers_over(self, PATIENCE, clock)
            case "notification":
                return notification.performers_over(self.post)
            case "order":
                return order.performers(None)  # type: ignore[arg-type]  # it needs none
        return {}

    def _noting(self, performer: Performer) -> Performer:
        """Note whose claim it is that asks; up to the question itself nobody else runs."""

        async def perform(claim: Claim) -> Any:
            self._claim = claim
            return await performer(claim)

        return perform

    async def charge(self, order_id: UUID, money: Money, token: str) -> tuple[ChargeResult, str]:
        """Ask the provider for a charge."""
        answer: tuple[ChargeResult, str] = await self._ask("charge", order_id, money)
        return answer

    async def undo(self, order_id: UUID) -> tuple[UndoResult, str]:
        """Ask the provider for the undo."""
        answer: tuple[UndoResult, str] = await self._ask("undo", order_id)
        return answer

    async def post(self, to: str, order_id: UUID, mail: Any, text: str) -> bool:
        """Hand a mail over."""
        taken: bool = await self._ask(str(mail), order_id)
        return taken

    async def _ask(self, kind: str, order_id: UUID, money: Money | None = None) -> Any:
        claim = self._claim
        assert claim is not None
        asking = Asking(claim.intent_id, claim.token)
        answer = self.loop.create_future()
        self._asked[asking] = claim, answer
        if not self._restoring:
            self.questions.append(Question(self.service, asking, kind, order_id, money))
        try:
            return await answer
        finally:
            self._asked.pop(asking, None)

    async def answered(self, asking: Asking, answer: Any) -> None:
        """Bring an answer home, or the error that there is none."""
        _, future = self._asked[asking]
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
