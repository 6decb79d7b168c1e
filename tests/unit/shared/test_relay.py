"""The relay: what was committed for others is published, and stays in the outbox until it is confirmed."""

import asyncio
from uuid import UUID

import pytest

from shared.envelope import MESSAGE_MAX_BYTES, encode
from shared.ports import Message, Posted, WorldError
from shared.relay import Relay, RelayLimits
from tests.unit.shared.fakes import FakeClock, FakePublisher, FakeStore
from tests.unit.shared.loop import running, until
from tests.unit.shared.wire import entry

LIMITS = RelayLimits(pack_max_events=2, unsent_max_events=5, grace_s=10, sweep_max_events=4, delete_idle_s=0.2)
IDS = [UUID(int=number) for number in range(1, 10)]
ONE, TWO, THREE = (entry(event_id) for event_id in IDS[:3])
LOST = WorldError("the connection is lost")
UNFIT = "\ud800"
"""Half of a character: no JSON can hold it."""


class Stage:
    """A relay between a store and a broker in memory."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.store = FakeStore(clock)
        self.publisher = FakePublisher()
        self.relay = Relay("order", self.store, self.publisher, clock, LIMITS)

    def post(self, *ids: UUID, grace_s: float = 0) -> None:
        """Put rows into the outbox; without a grace nobody is about to send them."""
        available_s = self.clock.monotonic_s() + grace_s
        self.store.tables.outbox.update({event_id: (entry(event_id), available_s) for event_id in ids})

    def offer(self, *ids: UUID, ago_s: float = 0) -> None:
        """Post and offer, as a commit does that began some seconds ago."""
        self.post(*ids, grace_s=LIMITS.grace_s - ago_s)
        self.relay.offer([entry(event_id) for event_id in ids], self.clock.monotonic_s() - ago_s)

    def refill(self, event_id: UUID) -> None:
        """Put a row there again, whatever became of it before."""
        self.post(event_id)
        self.store.tables.generations[event_id] = 7

    def spoil(self, event_id: UUID) -> None:
        """Have a row be such that it cannot be encoded."""
        logged, available_s = self.store.tables.outbox[event_id]
        self.store.tables.outbox[event_id] = (logged._replace(traceparent=UNFIT), available_s)

    @property
    def waiting(self) -> list[UUID]:
        """What the outbox still holds."""
        return sorted(self.store.tables.outbox)

    @property
    def sent(self) -> list[str]:
        return [message.message_id for message in self.publisher.published]


@pytest.fixture
async def stage(clock: FakeClock) -> Stage:
    return Stage(clock)


async def test_publishes_what_is_offered(stage: Stage) -> None:
    """Packs of one type go to the service's own exchange, by that type, known by the id of their first event."""
    stage.relay.offer([ONE, TWO, THREE, entry(IDS[3], "order.confirmed.v1")], stage.clock.monotonic_s())
    await stage.relay.flushed()
    assert stage.publisher.published == [
        Message("order.events", "order.placed", encode([ONE, TWO]), str(IDS[0])),
        Message("order.events", "order.placed", encode([THREE]), str(IDS[2])),
        Message("order.events", "order.confirmed", encode([entry(IDS[3], "order.confirmed.v1")]), str(IDS[3])),
    ]


async def test_confirmed_rows_are_handed_over_once(stage: Stage) -> None:
    """The next transaction takes them along; where it fails it gives them back."""
    stage.offer(*IDS[:3])
    taken: list[Posted] = []

    def all_taken() -> bool:
        taken.extend(stage.relay.take())
        return len(taken) == 3

    await until(all_taken)
    assert sorted(taken) == [Posted(event_id) for event_id in IDS[:3]]
    assert stage.relay.take() == []
    stage.relay.restore(taken)
    assert sorted(stage.relay.take()) == sorted(taken)


async def test_what_is_not_confirmed_stays(stage: Stage) -> None:
    """Of several packs the confirmed ones go, the refused one stays in the outbox."""
    stage.publisher.refuse(False, True)
    stage.offer(*IDS[:4])
    await stage.relay.flushed()
    assert stage.waiting == IDS[2:4]


@pytest.mark.parametrize(("ago_s", "sent"), [(0, True), (4.9, True), (5.1, False), (60, False)])
async def test_a_late_offer_is_dropped(stage: Stage, ago_s: float, sent: bool) -> None:
    """At half the grace a process forgets its rows: soon a sweeper may take them."""
    stage.offer(IDS[0], ago_s=ago_s)
    await stage.relay.flushed()
    assert bool(stage.sent) is sent
    assert (stage.waiting == []) is sent


async def test_memory_is_bounded(stage: Stage) -> None:
    """What comes on top of the bound is left to the sweeper; once there is room again offers are taken."""
    stage.publisher.open.clear()
    stage.offer(*IDS[:3])
    stage.offer(*IDS[3:6])
    stage.offer(*IDS[6:8])
    await until(lambda: len(stage.sent) == 3)
    stage.publisher.open.set()
    await stage.relay.flushed()
    assert stage.waiting == IDS[3:6]
    stage.offer(*IDS[3:6])
    await stage.relay.flushed()
    assert stage.waiting == []


async def test_nothing_is_published_for_nothing(stage: Stage) -> None:
    """A commit without public events costs no task and no message."""
    stage.relay.offer([], stage.clock.monotonic_s())
    await stage.relay.flushed()
    assert stage.publisher.published == []


@pytest.mark.parametrize("error", [asyncio.CancelledError(), ZeroDivisionError("a mistake")], ids=repr)
async def test_a_publish_that_breaks_off(stage: Stage, error: BaseException) -> None:
    """Whatever ends a publish, even a cancellation, the row stays, its room is free again, and the relay goes on."""
    stage.publisher.answers.append(error)
    stage.offer(*IDS[:5])
    await until(lambda: len(stage.sent) == 3)
    await stage.relay.flushed()
    assert stage.waiting == IDS[:5]
    stage.offer(*IDS[:5])
    await stage.relay.flushed()
    assert stage.waiting == []


async def test_the_sweeper_takes_what_nobody_sends(stage: Stage) -> None:
    """Rows whose grace is over are claimed and published, so many at a time; those of a living writer are not."""
    stage.post(*IDS[:5])
    stage.post(*IDS[5:7], grace_s=10)
    assert await stage.relay.sweep() == 4
    assert await stage.relay.sweep() == 1
    assert await stage.relay.sweep() == 0
    assert stage.sent == [str(IDS[0]), str(IDS[2]), str(IDS[4])]


async def test_what_the_sweeper_cannot_send_is_deferred(stage: Stage) -> None:
    """A refused row waits for its own backoff, alone: the neighbours are gone, and it is tried again for ever."""
    stage.post(*IDS[:4])
    stage.publisher.refuse(True, False, *[True] * 5)
    await stage.relay.sweep()
    assert await stage.relay.sweep() == 0
    async with running(stage.relay.run()):
        await until(lambda: not stage.waiting)
    assert stage.sent == [str(IDS[0]), str(IDS[2]), *[str(IDS[0])] * 6]


async def test_runs_on_whatever_the_database_does(stage: Stage) -> None:
    """A sweep, a deferral or a deletion that fails is tried again later."""
    stage.post(*IDS)
    stage.store.fail("claim_unsent", LOST, LOST)
    stage.store.fail("defer_unsent", LOST)
    stage.store.fail("delete_confirmed", LOST, LOST)
    stage.publisher.refuse(True)
    async with running(stage.relay.run()):
        await until(lambda: not stage.waiting)
    assert stage.store.failures_left == 0


async def test_a_full_lot_is_followed_at_once(stage: Stage) -> None:
    """Where a sweep was full there is more: the next one does not wait."""
    stage.post(*IDS)
    async with running(stage.relay.run()):
        await until(lambda: len(stage.sent) == 5)
        assert stage.clock.slept_s.count(LIMITS.sweep_interval_s) == 1


async def test_confirmed_rows_are_deleted_when_idle(stage: Stage) -> None:
    """Where no batch takes them along, they are deleted soon, many at once."""
    async with running(stage.relay.run()):
        stage.offer(*IDS[:5])
        await until(lambda: not stage.waiting)
    assert stage.clock.slept_s.count(LIMITS.delete_idle_s) == 1


async def test_a_deletion_that_fails(stage: Stage) -> None:
    """What could not be deleted is still known to be confirmed: it is deleted later, and not published again."""
    stage.store.fail("delete_confirmed", LOST, LOST)
    async with running(stage.relay.run()):
        stage.offer(*IDS[:2])
        await until(lambda: not stage.waiting)
    assert stage.sent == [str(IDS[0])]


async def test_what_was_refused_just_now_is_tried_soon(stage: Stage) -> None:
    """A row that the broker did not take is given to the sweeper at once, not after its grace."""
    stage.publisher.refuse(True)
    began_s = stage.clock.monotonic_s()
    async with running(stage.relay.run()):
        stage.offer(*IDS[:2])
        await until(lambda: not stage.waiting)
    assert stage.clock.monotonic_s() - began_s < LIMITS.grace_s / 2


async def test_a_deferral_that_fails(stage: Stage) -> None:
    """Without a database such a row waits for its grace, and the relay goes on."""
    stage.publisher.refuse(True)
    stage.store.fail("defer_unsent", LOST)
    async with running(stage.relay.run()):
        stage.offer(*IDS[:2])
        await until(lambda: not stage.waiting)
    assert stage.store.failures_left == 0


async def test_flushed_waits(stage: Stage) -> None:
    """Flushed is when nothing is on its way, and what is confirmed is deleted."""
    stage.publisher.open.clear()
    stage.offer(*IDS[:2])
    flushing = asyncio.create_task(stage.relay.flushed())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(flushing), timeout=1)
    stage.publisher.open.set()
    await flushing
    assert stage.waiting == []


async def test_a_row_published_twice_is_forgotten_once(stage: Stage) -> None:
    """A sweeper of another process may have sent the same row: that costs a duplicate, and nothing else."""
    stage.offer(IDS[0])
    stage.post(IDS[0])
    await stage.relay.sweep()
    await stage.relay.flushed()
    assert stage.sent == [str(IDS[0])] * 2
    assert stage.waiting == []


async def test_a_confirm_of_before_does_not_undo_a_refill(stage: Stage) -> None:
    """What was on its way to a queue that is gone is not what was put back: that goes out, and is deleted then."""
    stage.publisher.open.clear()
    stage.offer(*IDS[:2])
    await until(lambda: stage.sent)
    stage.refill(IDS[0])
    stage.publisher.open.set()
    await stage.relay.flushed()
    assert stage.waiting == IDS[:1]
    assert await stage.relay.sweep() == 1
    await stage.relay.flushed()
    assert stage.sent == [str(IDS[0])] * 2
    assert stage.waiting == []


async def test_what_cannot_be_encoded_is_parked_alone(stage: Stage) -> None:
    """Its neighbours of the pack go out; it is not claimed again, and says what is wrong with it."""
    stage.post(*IDS[:4])
    stage.spoil(IDS[1])
    async with running(stage.relay.run()):
        await until(lambda: stage.waiting == [IDS[1]])
        assert await stage.relay.sweep() == 0
    assert sorted(stage.sent) == [str(IDS[0]), str(IDS[2])]
    assert stage.store.tables.unfit.keys() == {IDS[1]}
    assert "surrogates not allowed" in stage.store.tables.unfit[IDS[1]]


async def test_what_was_just_committed_and_cannot_be_encoded(stage: Stage) -> None:
    """The hot way parks it too."""
    stage.post(*IDS[:2], grace_s=LIMITS.grace_s)
    stage.spoil(IDS[0])
    stage.relay.offer([logged for logged, _ in stage.store.tables.outbox.values()], stage.clock.monotonic_s())
    await stage.relay.flushed()
    assert stage.waiting == [IDS[0]]
    assert stage.store.tables.unfit.keys() == {IDS[0]}


async def test_what_nobody_would_read_is_parked_alone(stage: Stage) -> None:
    """An event that is too large for any consumer would end among the dead letters, with its beginning alone."""
    stage.post(*IDS[:2])
    logged, available_s = stage.store.tables.outbox[IDS[0]]
    large = logged._replace(payload=b'"' + b"x" * MESSAGE_MAX_BYTES + b'"')
    stage.store.tables.outbox[IDS[0]] = (large, available_s)
    await stage.relay.sweep()
    await stage.relay.flushed()
    assert stage.sent == [str(IDS[1])]
    assert stage.waiting == [IDS[0]]
    assert "nobody reads more than 1,048,576" in stage.store.tables.unfit[IDS[0]]


async def test_a_parking_that_fails(stage: Stage) -> None:
    """Without a database the row waits for its grace, and is parked then."""
    stage.post(IDS[0])
    stage.spoil(IDS[0])
    stage.store.fail("park_unsent", LOST)
    async with running(stage.relay.run()):
        await until(lambda: stage.store.tables.unfit)
    assert stage.store.failures_left == 0
