"""The relay: what a commit logged for others goes to the broker, and leaves the outbox once it is confirmed.

Two ways lead there. The hot one publishes from memory right after the commit. The sweeper publishes what a crash,
a full memory or a failed publish left behind: it claims rows whose grace is over. A row that is published twice
costs a duplicate, which every inbox drops; a row that is not confirmed stays, for ever. Only what cannot be written
as a message that is read is parked, for a person: no later attempt would write it.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from loguru import logger

from shared.envelope import MESSAGE_MAX_BYTES, Logged, encode
from shared.ports import Clock, Message, Posted, Publisher, Store, WorldError


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """The bounds of a relay."""

    pack_max_events: int = 100
    pack_max_bytes: int = 256 * 1024
    unsent_max_events: int = 10_000
    """So many events may be on their way from memory; what comes on top waits for the sweeper."""
    grace_s: float = 10.0
    """A row belongs to the process that wrote it for so long; the process forgets it at half of that."""
    sweep_interval_s: float = 2.0
    sweep_max_events: int = 500
    delete_idle_s: float = 0.2
    """Confirmed rows that no batch took along within this time are deleted on their own."""


class Relay:
    """Publishes one service's outbox to its exchange, and remembers what may be deleted."""

    def __init__(self, service: str, store: Store, publisher: Publisher, clock: Clock, limits: RelayLimits) -> None:
        self._exchange = f"{service}.events"
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._limits = limits
        self._sending: set[asyncio.Task[None]] = set()
        self._sending_events = 0
        self._confirmed: set[Posted] = set()
        self._confirmed_some = asyncio.Event()

    def offer(self, unsent: Sequence[Logged], began_s: float) -> None:
        """Publish what a transaction that began at `began_s` has just written, if there is room for it."""
        stale = self._clock.monotonic_s() - began_s > self._limits.grace_s / 2
        if not unsent or stale or self._sending_events + len(unsent) > self._limits.unsent_max_events:
            return
        self._sending_events += len(unsent)
        task = asyncio.create_task(self._send_hot(unsent))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    def take(self) -> Sequence[Posted]:
        """Hand over the rows that are confirmed, to be deleted by the next transaction."""
        confirmed = list(self._confirmed)
        self._confirmed.clear()
        self._confirmed_some.clear()
        return confirmed

    def restore(self, confirmed: Sequence[Posted]) -> None:
        """Take back rows that could not be deleted."""
        self._confirmed.update(confirmed)
        if self._confirmed:
            self._confirmed_some.set()

    async def run(self) -> None:
        """Sweep and tidy, until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sweep_for_ever())
            group.create_task(self._tidy_for_ever())

    async def flushed(self) -> None:
        """Wait until nothing is on its way from memory, and what is confirmed is deleted."""
        while self._sending:
            await asyncio.wait(self._sending)
        await self._tidy()

    async def sweep(self) -> int:
        """Claim one lot of rows that nobody has sent, publish it, and say how many there were."""
        limits = self._limits
        claimed = await self._store.claim_unsent(limits.sweep_max_events, limits.grace_s)
        refilled = {posted.event_id: posted for _, posted in claimed if posted.generation}
        failed = await self._send([logged for logged, _ in claimed], refilled)
        if failed:
            await self._store.defer_unsent(failed)
        return len(claimed)

    async def _send_hot(self, unsent: Sequence[Logged]) -> None:
        try:
            if failed := await self._send(unsent, {}):
                await self._store.defer_unsent(failed)
        except WorldError as error:
            logger.warning("what is not published stays with us for its grace: {}", error)
        finally:
            self._sending_events -= len(unsent)

    async def _send(self, unsent: Sequence[Logged], refilled: Mapping[UUID, Posted]) -> Collection[UUID]:
        """Publish, note what was confirmed, park what cannot be encoded, and give the ids of what was not confirmed.

        What is not `refilled` is of the first generation.
        """
        messages, unfit = self._encoded(unsent)
        answers = await self._publisher.publish([message for _, message in messages])
        failed: list[UUID] = []
        for (pack, _), error in zip(messages, answers, strict=True):
            ids = [logged.event_id for logged in pack]
            if error is None:
                self.restore([refilled.get(event_id) or Posted(event_id) for event_id in ids])
            else:
                failed += ids
                logger.error("{} × {} not published, stays in the outbox: {}", len(ids), pack[0].type, error)
        if unfit:
            await self._store.park_unsent(unfit)
        return failed

    def _encoded(self, unsent: Sequence[Logged]) -> tuple[list[tuple[Sequence[Logged], Message]], dict[UUID, str]]:
        """Encode pack by pack; where one cannot be, event by event, to find the one that cannot, and why."""
        messages: list[tuple[Sequence[Logged], Message]] = []
        unfit: dict[UUID, str] = {}
        waiting = deque[Sequence[Logged]](packed(unsent, self._limits))
        while waiting:
            pack = waiting.popleft()
            try:
                messages.append((pack, self._message(pack)))
            except (TypeError, ValueError) as error:
                if len(pack) > 1:
                    waiting.extend([logged] for logged in pack)
                    continue
                unfit[pack[0].event_id] = f"{type(error).__name__}: {error}"
                logger.error("{} {} cannot be encoded, parked: {}", pack[0].type, pack[0].event_id, error)
        return messages, unfit

    def _message(self, pack: Sequence[Logged]) -> Message:
        if len(body := encode(pack)) > MESSAGE_MAX_BYTES:
            raise ValueError(f"{len(body):,} bytes, and nobody reads more than {MESSAGE_MAX_BYTES:,}")
        return Message(self._exchange, pack[0].routing_key, body, message_id=str(pack[0].event_id))

    async def _sweep_for_ever(self) -> None:
        while True:
            try:
                while await self.sweep() == self._limits.sweep_max_events:
                    pass
            except WorldError as error:
                logger.warning("the outbox could not be swept: {}", error)
            await self._clock.sleep(self._limits.sweep_interval_s)

    async def _tidy_for_ever(self) -> None:
        while True:
            await self._confirmed_some.wait()
            await self._clock.sleep(self._limits.delete_idle_s)
            await self._tidy()

    async def _tidy(self) -> None:
        confirmed = self.take()
        if not confirmed:
            return
        try:
            await self._store.delete_confirmed(confirmed)
        except WorldError as error:
            logger.warning("{} confirmed rows could not be deleted yet: {}", len(confirmed), error)
            self.restore(confirmed)


def packed(unsent: Sequence[Logged], limits: RelayLimits) -> Iterator[list[Logged]]:
    """Put events of one type into packs, each small enough for one message; one big event is a pack of its own."""
    by_type: dict[str, list[Logged]] = {}
    for logged in unsent:
        by_type.setdefault(logged.type, []).append(logged)
    for same in by_type.values():
        pack: list[Logged] = []
        size_bytes = 0
        for logged in same:
            full = len(pack) == limits.pack_max_events or size_bytes + len(logged.payload) > limits.pack_max_bytes
            if pack and full:
                yield pack
                pack, size_bytes = [], 0
            pack.append(logged)
            size_bytes += len(logged.payload)
        yield pack
