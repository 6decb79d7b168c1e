"""The shell: the one piece of code with side effects around reactions.

Everything that changes state comes this way, in batches: a message's events, a command from HTTP, the answer of
an outside party, a fired deadline. One batch is one transaction, and one batch runs at a time. A batch takes
what is there and never waits to fill up, because the next one fills while this one commits.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeVar
from uuid import UUID

from loguru import logger

from shared.backoff import Backoff
from shared.batch import Answered, Batch, Deadly, Follow, HeldUp, Item, KeyReused, Raised, Result, pass_on
from shared.envelope import Logged
from shared.ports import (
    Answer,
    Claim,
    Clock,
    ConflictError,
    Posted,
    RefusedError,
    Store,
    TooSlowError,
    Transaction,
    WorldError,
)
from shared.reactions import Reactions

T = TypeVar("T")
WORLD_BACKOFF = Backoff(first_s=0.05, most_s=5.0)
CONFLICTS_MAX = 20
"""So many conflicts in a row are no race: then the batch is taken apart to find the event that is refused."""
TOO_SLOW_MAX = 3
"""So often a batch that was cancelled for its time runs again whole; then in halves. One event alone runs for ever: of
a stalled disk it cannot be told from an event that takes too long, and an outage sets nothing aside."""
SUSPECT_RUNS_MAX = 3
"""In so many lives of processes an event is begun alone; the last time it is set aside instead."""
BUGS_MAX = 3
"""So often a batch runs again on an error that nobody foresaw, before it is taken apart too."""


class StoppedError(WorldError):
    """The process ends before this was committed, or before it is known that it was."""


@dataclass(slots=True, eq=False)
class Work:
    """What enters the shell whole, is committed in one batch, and is told its results once."""

    items: tuple[Item, ...]
    done: asyncio.Future[tuple[Result, ...]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def is_abandoned(self) -> bool:
        """Whoever brought it is gone and will bring it again: a message whose channel was lost."""
        return self.done.cancelled() and all(item.request is None and item.completes is None for item in self.items)

    @property
    def is_suspect(self) -> bool:
        """An event in it may be what ended the process that had it before."""
        return any(item.redelivered for item in self.items)


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit made true, for those who act on it right away."""

    items: Sequence[Item]
    results: Sequence[Result]
    unsent: Sequence[Logged]
    claims: Sequence[Claim]
    began_s: float
    """When the transaction began, by the process's monotonic clock: no grace or lease began earlier."""
    reacting_s: float = 0.0
    """How long the reactions took of it."""


class Confirmations(Protocol):
    """Outbox rows that the broker has confirmed, and the next transaction may delete."""

    def take(self) -> Sequence[Posted]:
        """Take all that wait."""

    def restore(self, confirmed: Sequence[Posted]) -> None:
        """Put back what could not be deleted."""


class Shell:
    """Runs one service's reactions over one store."""

    def __init__(
        self,
        reactions: Reactions,
        store: Store,
        confirmations: Confirmations,
        clock: Clock,
        on_commit: Callable[[Committed], None],
        *,
        life: UUID,
        batch_max_events: int,
        waiting_max_works: int,
        follow: Follow = pass_on,
    ) -> None:
        self._reactions = reactions
        self._store = store
        self._confirmations = confirmations
        self._clock = clock
        self._life = life
        self._on_commit = on_commit
        self._batch_max_events = batch_max_events
        self._waiting_max_works = waiting_max_works
        self._follow = follow
        self.held_up: HeldUp | None = None  # what everything else waits behind, where a batch does not get through
        self._waiting: deque[Work] = deque()
        self._arrived = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def is_full(self) -> bool:
        """More waits than a caller should be asked to wait behind."""
        return len(self._waiting) >= self._waiting_max_works

    def submit(self, *items: Item) -> asyncio.Future[tuple[Result, ...]]:
        """Queue items, which are committed together; their results come in the same order."""
        work = Work(items)
        self._waiting.append(work)
        self._idle.clear()
        self._arrived.set()
        return work.done

    async def run(self) -> None:
        """Commit batch after batch, until cancelled; then nobody is left waiting for what will not be done."""
        batch: list[Work] = []
        try:
            while True:
                await self._arrived.wait()
                batch = self._take()
                items = [item for work in batch for item in work.items]
                settle = self._settle_apart if any(work.is_suspect for work in batch) else self._settle
                results = iter(await settle(items) if items else ())
                for work in batch:
                    own = tuple(next(results) for _ in work.items)
                    if not work.done.done():  # who asked may have stopped waiting; it is done all the same
                        work.done.set_result(own)
                if not self._waiting:
                    self._arrived.clear()
                    self._idle.set()
        finally:
            for work in (*batch, *self._waiting):
                if not work.done.done():
                    work.done.set_exception(StoppedError("this process is ending"))
                    work.done.exception()  # seen, also where nobody waits for it any more

    async def drained(self) -> None:
        """Wait until nothing waits or runs."""
        await self._idle.wait()

    def _take(self) -> list[Work]:
        """Take whole works up to the bound, or one that is suspect.

        What nobody waits for, and the broker delivers again, is left out.
        """
        batch: list[Work] = []
        events = 0
        while self._waiting and (not batch or events + len(self._waiting[0].items) <= self._batch_max_events):
            if batch and self._waiting[0].is_suspect:
                break
            work = self._waiting.popleft()
            if work.is_abandoned:
                continue
            batch.append(work)
            events += len(work.items)
            if work.is_suspect:
                break
        return batch

    async def _settle_apart(self, items: Sequence[Item]) -> list[Result]:
        """Commit a redelivered message apart from all others, and what was begun so in another life, event by event.

        So the one event that ends every process which reacts to it is found, and its neighbours go through.
        """
        event_ids = [item.envelope.event_id for item in items]
        begun = await self._until_answered(partial(self._store.watch, event_ids, self._life))
        together = [item for item in items if item.envelope.event_id not in begun]
        settled = iter(await self._settle(together) if together else ())
        return [await self._settle_alone(i) if i.envelope.event_id in begun else next(settled) for i in items]

    async def _settle_alone(self, item: Item) -> Result:
        event_id = item.envelope.event_id
        runs = await self._until_answered(partial(self._store.suspect, event_id, self._life))
        if runs >= SUSPECT_RUNS_MAX:
            about = logger.bind(order_id=str(item.envelope.correlation_id), event_id=str(event_id))
            about.error("{} set aside: {} processes ended as they reacted to it", item.envelope.type, runs)
            return Deadly(runs)
        (result,) = await self._settle([item])
        return result

    async def _until_answered(self, ask: Callable[[], Awaitable[T]]) -> T:
        delays_s = WORLD_BACKOFF.delays_s()
        while True:
            try:
                return await ask()
            except WorldError as error:
                delay_s = next(delays_s)
                logger.warning("the suspects are not known yet, asked again in {:.2f} s: {}", delay_s, error)
                await self._clock.sleep(delay_s)

    async def _settle(self, items: Sequence[Item]) -> list[Result]:
        """Commit items as often as the world makes it necessary; take them apart when one is refused."""
        conflicts = bugs = slow = 0
        delays_s = WORLD_BACKOFF.delays_s()
        while True:
            delay_s = next(delays_s)
            try:
                committed = await self._commit(items)
            except RefusedError as refused:
                return await self._take_apart(items, refused)
            except ConflictError as conflict:
                if (conflicts := conflicts + 1) >= CONFLICTS_MAX:
                    return await self._take_apart(items, conflict)
            except WorldError as error:
                logger.warning("{} runs again in {:.2f} s: {}", _named(items), delay_s, error)
                self._note_held_up(items, error)
                await self._acquit(items)
                slow += isinstance(error, TooSlowError)
                if slow >= TOO_SLOW_MAX and len(items) > 1:
                    return await self._settle_halves(items)
                await self._clock.sleep(delay_s)
            except Exception as bug:  # noqa: BLE001 - in doubt it runs again, but a bug must not end a lane
                logger.opt(exception=bug).error("{} runs again in {:.2f} s", _named(items), delay_s)
                self._note_held_up(items, bug)
                if (bugs := bugs + 1) >= BUGS_MAX:
                    return await self._take_apart(items, bug)
                await self._clock.sleep(delay_s)
            else:
                self.held_up = None
                self._on_commit(committed)
                return list(committed.results)

    def _note_held_up(self, items: Sequence[Item], error: Exception) -> None:
        since = self.held_up.since if self.held_up else self._clock.now()
        text = f": {error}" if isinstance(error, WorldError) else ""  # what a bug says may quote anything
        self.held_up = HeldUp(since, len(items), f"{type(error).__name__}{text}")

    async def _take_apart(self, items: Sequence[Item], error: Exception) -> list[Result]:
        if len(items) == 1:
            envelope = items[0].envelope
            about = logger.bind(order_id=str(envelope.correlation_id), event_id=str(envelope.event_id))
            about.error("{} cannot be stored: {}", envelope.type, error)
            self.held_up = None
            await self._acquit(items)
            return [Raised(error)]
        return await self._settle_halves(items)

    async def _settle_halves(self, items: Sequence[Item]) -> list[Result]:
        middle = len(items) // 2
        return await self._settle(items[:middle]) + await self._settle(items[middle:])

    async def _acquit(self, items: Sequence[Item]) -> None:
        """Suspect no longer what failed and left this process alive: whatever stops it now, it was not that."""
        if suspects := [item.envelope.event_id for item in items if item.redelivered]:
            with suppress(WorldError):  # asked again when the next attempt fails
                await self._store.acquit(suspects)

    async def _commit(self, items: Sequence[Item]) -> Committed:
        """Run one transaction.

        Raises:
            WorldError, ConflictError, RefusedError: and then nothing has happened, or all of it has and the answer
                was lost; the inbox tells which when the same items run again.
        """
        began_s = self._clock.monotonic_s()
        confirmed = self._confirmations.take()
        try:
            async with self._store.transaction() as transaction:
                asked = await _asked_before(transaction, items)
                open_items = [item for item, answer in asked if answer is None]
                received = await transaction.receive([item.envelope for item in open_items])
                fresh = [i.envelope.event for i in open_items if i.envelope.event_id in received.fresh]
                batch = Batch(self._reactions, book := await transaction.load(fresh), received, self._follow)
                batch.record.confirmed = confirmed
                reacting_since_s = self._clock.monotonic_s()
                settled = [batch.apply(item) if answer is None else answer for item, answer in asked]
                reacting_s = self._clock.monotonic_s() - reacting_since_s
                claims = await transaction.write(book, batch.record)
        except BaseException:
            self._confirmations.restore(confirmed)
            raise
        unsent = [entry.logged for entry in batch.record.entries if entry.public]
        return Committed(items, settled, unsent, claims, began_s, reacting_s)


def _named(items: Sequence[Item]) -> str:
    """Name a batch, or the event that is all of it: if it never goes through, a person looks for that one."""
    if len(items) > 1:
        return f"a batch of {len(items)}"
    envelope = items[0].envelope
    return f"{envelope.type} {envelope.event_id} of {envelope.correlation_id}"


async def _asked_before(transaction: Transaction, items: Sequence[Item]) -> list[tuple[Item, Result | None]]:
    """Give each item with how it was answered before; None where it was not."""
    requests = [item.request for item in items if item.request is not None]
    if not requests:
        return [(item, None) for item in items]
    answered = await transaction.answered(requests)
    return [(item, _stored_answer(item, answered)) for item in items]


def _stored_answer(item: Item, answered: Mapping[tuple[str, str, str], tuple[str, Answer]]) -> Result | None:
    if item.request is None or item.request.identity not in answered:
        return None
    body_hash, answer = answered[item.request.identity]
    return Answered(answer) if body_hash == item.request.body_hash else KeyReused()
