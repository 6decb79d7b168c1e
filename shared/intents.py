"""The intent workers: they do outside the transaction what was intended inside it, and bring the answer home.

An intent is leased, carried out under a time limit, and completed in the very transaction that reacts to its
answer. So it is carried out at least once, and the other side is spoken to with a key that makes a second time
harmless. A lease that ran out costs a second attempt, never an answer: whatever comes back is reacted to.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from loguru import logger

from shared.backoff import Backoff, jittered
from shared.batch import Item, Raised
from shared.envelope import Envelope
from shared.event import Event
from shared.ids import derived_id
from shared.ports import Claim, Clock, Store, WorldError
from shared.shell import Shell


@dataclass(frozen=True, slots=True)
class Reply:
    """What an outside party answered. `identity` tells this answer from another to the same question."""

    event: Event
    identity: tuple[str, ...] = ()


Performer: TypeAlias = Callable[[Claim], Awaitable[Reply]]
"""Carries one intent out. Whatever it raises means: not answered, ask again later."""


@dataclass(frozen=True, slots=True)
class IntentLimits:
    """The bounds of the intent workers."""

    lease_s: float = 30.0
    """So long an intent is this process's own; one that has not started by half of that is forgotten."""
    perform_timeout_s: float = 12.0
    """Longer than any performer needs, short enough to end within the other half of the lease."""
    concurrency_max: int = 32
    poll_interval_s: float = 1.0
    answers_raised_max: int = 8
    """After so many attempts an intent whose answer cannot be reacted to is parked for a person."""
    backoff: Backoff = field(default=Backoff(first_s=0.25, most_s=30.0))


class IntentWorkers:
    """Carries out one service's intents: those just committed at once, all others when they are due."""

    def __init__(
        self,
        performers: Mapping[str, Performer],
        shell: Shell,
        store: Store,
        clock: Clock,
        limits: IntentLimits,
    ) -> None:
        self._performers = performers
        self._shell = shell
        self._store = store
        self._clock = clock
        self._limits = limits
        self._waiting: deque[tuple[Claim, float]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    def offer(self, claims: Sequence[Claim], began_s: float) -> None:
        """Carry out what a transaction that began at `began_s` has just leased to this process."""
        self._waiting.extend((claim, began_s) for claim in claims)
        self._start_some()

    async def run(self) -> None:
        """Look for what is due, until cancelled."""
        while True:
            try:
                await self.poll()
            except WorldError as error:
                logger.warning("no intents could be claimed: {}", error)
            await self._clock.sleep(self._limits.poll_interval_s)

    async def poll(self) -> int:
        """Claim what is due and there is room for; say how many that were."""
        room = self._limits.concurrency_max - len(self._running) - len(self._waiting)
        if room <= 0:
            return 0
        began_s = self._clock.monotonic_s()
        claims = await self._store.claim_intents(room, self._limits.lease_s)
        self.offer(claims, began_s)
        return len(claims)

    async def drained(self) -> None:
        """Wait until nothing is being carried out; what has not been started waits for its lease to end."""
        self._waiting.clear()
        while self._running:
            await asyncio.wait(self._running)

    def _start_some(self) -> None:
        while self._waiting and len(self._running) < self._limits.concurrency_max:
            claim, began_s = self._waiting.popleft()
            if self._clock.monotonic_s() - began_s > self._limits.lease_s / 2:
                continue
            task = asyncio.create_task(self._carry_out(claim))
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.opt(exception=error).error("an intent worker failed; its intent is due again after its lease")
        self._start_some()

    async def _carry_out(self, claim: Claim) -> None:
        try:
            async with asyncio.timeout(self._limits.perform_timeout_s):
                reply = await self._performers[claim.intent.kind](claim)
        except Exception as error:  # noqa: BLE001 - whatever a performer raises means: ask again later
            await self._again(claim, error)
            return
        (result,) = await self._shell.submit(Item(_answer(claim, reply), completes=claim.intent_id))
        if isinstance(result, Raised):
            await self._again(claim, result.error, bound=self._limits.answers_raised_max)

    async def _again(self, claim: Claim, error: Exception, bound: int | None = None) -> None:
        """Give the intent back, due again after its backoff; past its bound, park it."""
        text = f"{type(error).__name__}: {error}"
        about = logger.bind(order_id=str(claim.correlation_id), intent=claim.intent.kind)
        try:
            if bound is not None and claim.attempts >= bound:
                about.error("parked after {} attempts: {}", claim.attempts, text)
                await self._store.park(claim, text)
                return
            after_s = jittered(self._limits.backoff.delay_s(claim.attempts), f"{claim.intent_id}{claim.attempts}")
            about.warning("attempt {} failed, again in {:.2f} s: {}", claim.attempts, after_s, text)
            await self._store.reschedule(claim, after_s, text)
        except WorldError as world:
            about.warning("not given back, due again after its lease: {}", world)


def _answer(claim: Claim, reply: Reply) -> Envelope:
    return Envelope(
        event_id=derived_id(claim.intent_id, reply.event.kind.type, *reply.identity),
        event=reply.event,
        correlation_id=claim.correlation_id,
        causation_id=claim.causation_id,
        traceparent=claim.traceparent,
    )
