"""The intent workers: they do outside the transaction what was intended inside it, and bring the answer home.

An intent is leased, carried out under a time limit, and completed in the very transaction that reacts to its
answer. So it is carried out at least once, and the other side is spoken to with a key that makes a second time
harmless. A lease that ran out costs a second attempt, never an answer: whatever comes back is reacted to.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from loguru import logger

from shared.backoff import Backoff, jittered
from shared.batch import Item, Raised, Result
from shared.envelope import Envelope
from shared.event import Event
from shared.ids import derived_id
from shared.ports import Claim, Clock, Store, WorldError
from shared.reactions import UndeclaredError
from shared.shell import Shell, StoppedError

if TYPE_CHECKING:
    from loguru import Logger


@dataclass(frozen=True, slots=True)
class Reply:
    """What an outside party answered. `identity` tells this answer from another to the same question."""

    event: Event
    identity: tuple[str, ...] = ()
    traceparent: str | None = None
    """Its own trace context; without one it has that of its intent."""


class UnansweredError(Exception):
    """The outside party did not answer. Its text is logged, so it holds nothing personal."""


class NotAskedError(UnansweredError):
    """The outside party is known to be away, and was not asked: that counts as no attempt."""

    def __init__(self, text: str, retry_after_s: float) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s
        """Seconds until it makes sense to ask again."""


Performer: TypeAlias = Callable[[Claim], Awaitable[Reply]]
"""Carries one intent out. Whatever it raises means: not answered, ask again later."""


@dataclass(frozen=True, slots=True)
class IntentLimits:
    """The bounds of the intent workers."""

    lease_s: float = 30.0
    """So long an intent is this process's own; one that has not started by half of that is forgotten."""
    perform_timeout_s: float = 12.0
    """Longer than any performer needs, short enough to end within the other half of the lease."""
    performing_max: int = 32
    """So many are asked of outside parties at once."""
    answering_max: int = 512
    """So many are being asked or have an answer that waits for its commit."""
    waiting_max: int = 5_000
    """So many of those just committed may wait for their turn here; the others are left to whoever has room."""
    poll_max: int = 256
    poll_interval_s: float = 1.0
    answers_raised_max: int = 8
    """After so many answers that cannot be reacted to an intent is parked for a person."""
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
        self._fresh: deque[tuple[Claim, float]] = deque()
        self._due: deque[tuple[Claim, float]] = deque()
        self._none_due = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()
        self._performing = 0
        self._releasing: set[asyncio.Task[None]] = set()
        self._closed = False

    def offer(self, claims: Sequence[Claim], began_s: float) -> None:
        """Carry out what a transaction that began at `began_s` has just leased to this process."""
        room = 0 if self._closed else max(0, self._limits.waiting_max - len(self._fresh))
        self._fresh.extend((claim, began_s) for claim in claims[:room])
        self._release(claims[room:])
        self._start_some()

    async def run(self) -> None:
        """Look for what is due, until cancelled; where one look did not see all of it, as fast as it is begun."""
        while True:
            found = 0
            try:
                found = await self.poll()
            except WorldError as error:
                logger.warning("no intents could be claimed: {}", error)
            if found == self._limits.poll_max:
                await self._none_due.wait()
            else:
                await self._clock.sleep(self._limits.poll_interval_s)

    async def poll(self) -> int:
        """Claim what is due, unless some of it waits here already; say how many. They come before what is fresh."""
        if self._closed or self._due:
            return 0
        began_s = self._clock.monotonic_s()
        claims = await self._store.claim_intents(self._limits.poll_max, self._limits.lease_s)
        self._none_due.clear()
        self._due.extend((claim, began_s) for claim in claims)
        self._start_some()
        return len(claims)

    async def drained(self) -> None:
        """Start nothing more, give back what has not been started, and wait until nothing is being carried out."""
        self._closed = True
        self._release([claim for claim, _ in (*self._due, *self._fresh)])
        self._due.clear()
        self._fresh.clear()
        while self._running or self._releasing:
            await asyncio.wait(self._running | self._releasing)

    def _start_some(self) -> None:
        late = []
        while (self._due or self._fresh) and self._has_room:
            claim, began_s = (self._due or self._fresh).popleft()
            if self._closed or self._clock.monotonic_s() - began_s > self._limits.lease_s / 2:
                late.append(claim)
                continue
            self._performing += 1
            task = asyncio.create_task(self._carry_out(claim))
            self._running.add(task)
            task.add_done_callback(self._ended)
        self._release(late)
        if not self._due:
            self._none_due.set()

    @property
    def _has_room(self) -> bool:
        limits = self._limits
        return self._performing < limits.performing_max and len(self._running) < limits.answering_max

    def _release(self, claims: Sequence[Claim]) -> None:
        if claims:
            task = asyncio.create_task(self._give_back(claims))
            self._releasing.add(task)
            task.add_done_callback(self._releasing.discard)

    async def _give_back(self, claims: Sequence[Claim]) -> None:
        try:
            await self._store.release_intents(claims)
        except WorldError as error:
            logger.warning("{} intents not given back, due again after their lease: {}", len(claims), error)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.opt(exception=error).error("an intent worker failed; its intent is due again after its lease")
        self._start_some()

    async def _carry_out(self, claim: Claim) -> None:
        try:
            reply = await self._perform(claim)
        except NotAskedError as away:
            await self._later(claim, away)
            return
        except Exception as error:  # noqa: BLE001 - whatever a performer raises means: ask again later
            text = f": {error}" if isinstance(error, UnansweredError) else ""  # others may quote what is personal
            await self._again(claim, f"{type(error).__name__}{text}", raised=False)
            return
        try:
            result = await self._react(claim, reply)
        except StoppedError:  # it is asked again after its lease, and answers the same
            return
        if isinstance(result, Raised):
            text = f"{type(result.error).__name__}: {result.error}"
            if claim.raised + 1 < self._limits.answers_raised_max:
                await self._again(claim, text, raised=True)
            else:
                await self._park(claim, text)

    async def _perform(self, claim: Claim) -> Reply:
        """Ask the outside party. Its turn ends with the answer: while that is committed the next one is asked."""
        try:
            async with asyncio.timeout(self._limits.perform_timeout_s):
                return await self._performers[claim.intent.kind](claim)
        finally:
            self._performing -= 1
            self._start_some()

    async def _react(self, claim: Claim, reply: Reply) -> Result:
        """Bring an answer home, unless it is none that the intent declares: that is as one that nobody can react to."""
        if type(reply.event) not in claim.intent.answered_by:
            return Raised(UndeclaredError(f"{reply.event.kind.type} does not answer {claim.intent.kind}"))
        item = Item(_envelope(claim, reply), completes=claim.intent_id, attempts=claim.attempts)
        (result,) = await self._shell.submit(item)
        return result

    async def _again(self, claim: Claim, text: str, *, raised: bool) -> None:
        """Give the intent back, due again after its backoff."""
        after_s = jittered(self._limits.backoff.delay_s(claim.attempts), f"{claim.intent_id}{claim.attempts}")
        _about(claim).warning("attempt {} failed, again in {:.2f} s: {}", claim.attempts, after_s, text)
        await self._reschedule(claim, after_s, text, raised=raised)

    async def _later(self, claim: Claim, away: NotAskedError) -> None:
        """Give back an intent that nobody was asked about; who knows that they are away has said so."""
        after_s = jittered(max(away.retry_after_s, self._limits.backoff.first_s), f"{claim.intent_id}{claim.token}")
        _about(claim).debug("not asked, again in {:.2f} s: {}", after_s, away)
        await self._reschedule(claim, after_s, str(away), asked=False)

    async def _reschedule(
        self, claim: Claim, after_s: float, text: str, *, raised: bool = False, asked: bool = True
    ) -> None:
        try:
            await self._store.reschedule(claim, after_s, text, raised=raised, asked=asked)
        except WorldError as world:
            _about(claim).warning("not given back, due again after its lease: {}", world)

    async def _park(self, claim: Claim, text: str) -> None:
        """Set the intent aside: its answers cannot be reacted to."""
        _about(claim).error("parked after {} attempts: {}", claim.attempts, text)
        try:
            await self._store.park(claim, text)
        except WorldError as world:
            _about(claim).warning("not parked, due again after its lease: {}", world)


def _about(claim: Claim) -> "Logger":
    return logger.bind(order_id=str(claim.correlation_id), intent=claim.intent.kind)


def _envelope(claim: Claim, reply: Reply) -> Envelope:
    return Envelope(
        event_id=derived_id(claim.intent_id, reply.event.kind.type, *reply.identity),
        event=reply.event,
        correlation_id=claim.correlation_id,
        causation_id=claim.causation_id,
        traceparent=reply.traceparent or claim.traceparent,
    )
