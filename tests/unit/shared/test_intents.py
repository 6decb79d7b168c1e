"""Intent workers: what was intended is carried out until it is answered, and the answer is brought home."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from shared.backoff import Backoff
from shared.ids import derived_id, new_id
from shared.intents import IntentLimits, IntentWorkers, NotAskedError, Reply, UnansweredError
from shared.ports import Claim, WorldError
from shared.shell import Committed, Shell
from tests.unit.shared.fakes import Call, FakeClock, FakeConfirmations, FakeStore, StoredIntent
from tests.unit.shared.loop import passes, running, until
from tests.unit.shared.toy import Encore, Encored, Score, Tune, cue, order, toy

LIMITS = IntentLimits(
    performing_max=3,
    answering_max=6,
    waiting_max=4,
    poll_max=4,
    answers_raised_max=4,
    backoff=Backoff(first_s=1.0, most_s=8.0),
)
CAUSE = UUID("0190d1a5-0000-7000-8000-000000000002")
LOST = WorldError("the connection is lost")


class Stage:
    """Workers over a shell and a store in memory. They answer `Encored`, once `outside` lets them."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.store = FakeStore(clock, lease_s=LIMITS.lease_s)
        self.shell = Shell(
            toy,
            self.store,
            FakeConfirmations(),
            clock,
            self._committed,
            life=new_id(),
            batch_max_events=10,
            waiting_max_works=10,
        )
        self.workers = IntentWorkers({Encore.kind: self.perform}, self.shell, self.store, clock, LIMITS)
        self.performed: list[Claim] = []
        self.at_once = 0
        self.at_once_most = 0
        self.outside = asyncio.Event()
        self.outside.set()
        self.errors: list[BaseException] = []
        """What the performer raises, first to last, before it answers."""
        self.answers: list[Reply] = []
        """What it answers, first to last, before it answers just so."""

    def _committed(self, committed: Committed) -> None:
        self.workers.offer(committed.claims, committed.began_s)

    async def perform(self, claim: Claim) -> Reply:
        self.performed.append(claim)
        self.at_once += 1
        self.at_once_most = max(self.at_once, self.at_once_most)
        try:
            await self.outside.wait()
        finally:
            self.at_once -= 1
        if self.errors:
            raise self.errors.pop(0)
        return self.answers.pop(0) if self.answers else Reply(Encored(order_id=claim.intent.order_id))

    def intend(self, *about: int, after_s: float = 0, leased_s: float = 0) -> Sequence[Claim]:
        """Store intents of as many orders, and give the claims that leased them."""
        now_s = self.clock.monotonic_s()
        for number in about:
            place = (order(number), Encore.kind)
            claim = Claim(derived_id(order(number), "encore"), Encore(order_id=order(number)), order(number), CAUSE,
                          None, attempts=int(leased_s > 0), token=int(leased_s > 0))  # fmt: skip
            self.store.tables.intents[place] = StoredIntent(claim, now_s + after_s, now_s + leased_s)
        return [self.row(number).claim for number in about]

    def row(self, about: int = 1) -> StoredIntent:
        """Give the row of an order's intent."""
        return self.store.tables.intents[order(about), Encore.kind]

    @property
    def done(self) -> bool:
        """Nothing waits any more."""
        return not self.store.tables.intents


@pytest.fixture
async def stage(clock: FakeClock) -> Stage:
    return Stage(clock)


async def test_just_committed_intents_are_carried_out_at_once(stage: Stage) -> None:
    """From a commit to its intent, and from the answer back to a commit that completes it, nobody polls."""
    async with running(stage.shell.run()):
        await stage.shell.submit(cue("promise"))
        await until(lambda: stage.done)
    assert [claim.attempts for claim in stage.performed] == [1]
    assert [entry.logged.type for entry in stage.store.tables.log] == ["toy.noted.v1", "toy.noted.v1"]
    assert stage.clock.slept_s == []


async def test_due_intents_are_found(stage: Stage) -> None:
    """What is due later, or was left behind by a crash, is found when its time has come."""
    stage.intend(1, after_s=60)
    stage.intend(2, leased_s=20)
    began_s = stage.clock.monotonic_s()
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert [claim.correlation_id for claim in stage.performed] == [order(2), order(1)]
    assert stage.clock.monotonic_s() - began_s >= 60


async def test_an_answer_knows_where_it_comes_from(stage: Stage) -> None:
    """Its id is derived from the intent and from what the other side said; its cause is the intent's."""
    (claim,) = stage.intend(1, leased_s=30)
    stage.answers.append(Reply(Encored(order_id=order()), identity=("ch_1", "captured")))
    stage.workers.offer([claim], stage.clock.monotonic_s())
    async with running(stage.shell.run()):
        await until(lambda: stage.done)
    event_id = derived_id(claim.intent_id, "toy.encored.v1", "ch_1", "captured")
    assert list(stage.store.tables.inbox) == [event_id]
    (entry,) = stage.store.tables.log
    assert (entry.logged.causation_id, entry.logged.correlation_id) == (event_id, order())


async def test_the_same_answer_twice_is_one(stage: Stage) -> None:
    """Two processes that carried the same intent out bring the same event home; the second completes nothing more."""
    (claim,) = stage.intend(1, leased_s=30)
    again = replace(claim, token=2, attempts=2)
    async with running(stage.shell.run()):
        for each in (claim, again):
            stage.workers.offer([each], stage.clock.monotonic_s())
        await until(lambda: len(stage.performed) == 2 and not stage.at_once)
        await stage.workers.drained()
    assert len(stage.store.tables.log) == 1
    assert stage.done


async def test_another_answer_is_another_event(stage: Stage) -> None:
    """What the other side says differently the second time is not taken for the first."""
    (claim,) = stage.intend(1, leased_s=30)
    stage.answers += [Reply(Encored(order_id=order()), identity=(each,)) for each in ("ch_1", "ch_2")]
    async with running(stage.shell.run()):
        stage.workers.offer([claim, claim], stage.clock.monotonic_s())
        await until(lambda: len(stage.store.tables.log) == 2)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UnansweredError("the provider answered 503"), "UnansweredError: the provider answered 503"),
        (ConnectionError("anna@example.com"), "ConnectionError"),
        (KeyError("anna@example.com"), "KeyError"),
        (LOST, "WorldError"),
        (TimeoutError(), "TimeoutError"),
    ],
    ids=repr,
)
async def test_no_answer_is_asked_for_again(stage: Stage, error: Exception, told: str) -> None:
    """Whatever a performer raises means that it was not answered: due again after a backoff; its text only if safe."""
    (claim,) = stage.intend(1, leased_s=30)
    stage.errors.append(error)
    began_s = stage.clock.monotonic_s()
    stage.workers.offer([claim], began_s)
    await until(lambda: stage.row().error)
    row = stage.row()
    assert row.error == told
    assert 0.75 <= row.due_s - began_s <= 1.01
    assert not row.parked


async def test_asked_for_ever(stage: Stage) -> None:
    """However often nobody answers, the intent is never given up, and its pauses stay within the backoff's bound."""
    stage.intend(1)
    stage.errors += [ConnectionError("refused")] * 20
    began_s = stage.clock.monotonic_s()
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert [claim.attempts for claim in stage.performed] == list(range(1, 22))
    assert stage.clock.monotonic_s() - began_s < 20 * 8.5


async def test_silence_is_no_answer(stage: Stage) -> None:
    """A performer that takes too long is cut off, in time for the lease."""
    (claim,) = stage.intend(1, leased_s=30)
    stage.outside.clear()
    began_s = stage.clock.monotonic_s()
    stage.workers.offer([claim], began_s)
    await until(lambda: stage.row().error)
    assert stage.row().error == "TimeoutError"
    assert stage.clock.monotonic_s() - began_s == pytest.approx(LIMITS.perform_timeout_s, abs=0.2)
    assert LIMITS.perform_timeout_s < LIMITS.lease_s / 2


async def test_a_broken_performer_breaks_alone(stage: Stage) -> None:
    """A performer that is cancelled from within ends without an answer; its neighbours and the workers go on."""
    claims = stage.intend(1, 2, leased_s=30)
    stage.errors.append(asyncio.CancelledError())
    async with running(stage.shell.run(), stage.workers.run()):
        stage.workers.offer(claims, stage.clock.monotonic_s())
        await until(lambda: stage.done)
    assert [claim.correlation_id for claim in stage.performed] == [order(1), order(2), order(1)]


async def test_a_kind_that_nobody_carries_out(stage: Stage) -> None:
    """Such an intent is kept and shown with its error, not dropped."""
    place = (order(), Tune.kind)
    (claim,) = stage.intend(1, leased_s=30)
    claim = replace(claim, intent=Tune(order_id=order()))
    stage.store.tables.intents = {place: StoredIntent(claim, 0)}
    stage.workers.offer([claim], stage.clock.monotonic_s())
    await until(lambda: stage.store.tables.intents[place].error == "KeyError")


async def test_an_answer_that_raises_is_asked_for_again_then_parked(stage: Stage) -> None:
    """If nobody can react to the answer the intent waits longer and longer; at its bound it waits for a person."""
    stage.intend(1)
    stage.answers += [Reply(Encored(order_id=order(), breaks=True))] * 10
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.row().parked)
        parked_s = stage.clock.monotonic_s()
        await until(lambda: stage.clock.monotonic_s() > parked_s + 100)
    assert [claim.attempts for claim in stage.performed] == [1, 2, 3, 4]
    assert stage.row().error == "ValueError: a string broke"
    assert stage.store.tables.states == {}


async def test_silence_does_not_count_towards_parking(stage: Stage) -> None:
    """However often nobody answered, only answers that raise park an intent."""
    stage.intend(1)
    stage.errors += [UnansweredError("silence")] * 20
    stage.answers += [Reply(Encored(order_id=order(), breaks=True))] * 2
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert len(stage.performed) == 23


async def test_an_answer_that_raised_may_be_reacted_to_later(stage: Stage) -> None:
    """If the reaction succeeds before the bound, the intent is complete."""
    stage.intend(1)
    stage.answers += [Reply(Encored(order_id=order(), breaks=True))] * 2
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert len(stage.performed) == 3
    assert stage.store.tables.states[order()].state == Score(order())


@pytest.mark.parametrize(("ago_s", "started"), [(0, True), (14.9, True), (15.1, False), (60, False)])
async def test_a_late_claim_is_given_back(stage: Stage, ago_s: float, started: bool) -> None:
    """What could not be started in the first half of its lease might not end within it: it is due again at once."""
    (claim,) = stage.intend(1, leased_s=30)
    stage.outside.clear()
    stage.workers.offer([claim], stage.clock.monotonic_s() - ago_s)
    await until(lambda: stage.performed or stage.row().leased_until_s < 0)
    assert bool(stage.performed) is started
    assert stage.row().claim.attempts == int(started)


async def test_a_claim_that_waited_too_long_is_given_back(stage: Stage) -> None:
    """So it is with one that found all workers busy for half its lease; then it is carried out when there is room."""
    claims = stage.intend(1, 2, 3, 4, leased_s=30)
    stage.outside.clear()
    stage.workers.offer(claims[:3], stage.clock.monotonic_s())
    stage.workers.offer(claims[3:], stage.clock.monotonic_s() - 10)
    await until(lambda: stage.row(1).error)
    await until(lambda: stage.row(4).leased_until_s < 0)
    assert order(4) not in {claim.correlation_id for claim in stage.performed}
    stage.outside.set()
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert order(4) in {claim.correlation_id for claim in stage.performed}


async def test_the_waiting_is_bounded(stage: Stage) -> None:
    """What is committed on top of what may wait here is given back at once, for whoever has room."""
    claims = stage.intend(*range(1, 9), leased_s=30)
    stage.outside.clear()
    stage.workers.offer(claims[:3], stage.clock.monotonic_s())
    stage.workers.offer(claims[3:], stage.clock.monotonic_s())
    given_back = [number for number in range(1, 9) if number > 3 + LIMITS.waiting_max]
    await until(lambda: [number for number in range(1, 9) if stage.row(number).leased_until_s < 0] == given_back)
    assert given_back


async def test_concurrency_is_bounded(stage: Stage) -> None:
    """So many are carried out at once and no more; the others follow as soon as there is room."""
    claims = stage.intend(*range(1, 8), leased_s=30)
    stage.outside.clear()
    async with running(stage.shell.run()):
        for claim in claims:
            stage.workers.offer([claim], stage.clock.monotonic_s())
        await until(lambda: stage.at_once == LIMITS.performing_max)
        stage.outside.set()
        await until(lambda: stage.done)
    assert stage.at_once_most == LIMITS.performing_max
    assert len(stage.performed) == 7


async def test_nothing_is_claimed_while_some_waits(stage: Stage) -> None:
    """What is due and was claimed is begun before more of it is claimed: leases would pass in vain."""
    stage.intend(*range(1, 10))
    stage.outside.clear()
    assert [await stage.workers.poll() for _ in range(3)] == [LIMITS.poll_max, 0, 0]
    assert [stage.row(number).claim.token for number in range(1, 10)] == [1, 1, 1, 1, 0, 0, 0, 0, 0]
    stage.outside.set()
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)


async def test_a_backlog_is_not_left_to_the_next_look(stage: Stage) -> None:
    """Where one look did not see all that is due, the next one follows as soon as that is begun."""
    stage.intend(*range(1, 3 * LIMITS.poll_max))
    began_s = stage.clock.monotonic_s()
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert stage.clock.monotonic_s() - began_s < LIMITS.poll_interval_s


async def test_a_turn_ends_with_the_answer(stage: Stage) -> None:
    """While answers wait for their commit, others are asked: the outside party sets the bound, not the database."""
    claims = stage.intend(*range(1, 8), leased_s=30)
    for claim in claims[: LIMITS.waiting_max]:
        stage.workers.offer([claim], stage.clock.monotonic_s())
    await until(lambda: len(stage.performed) == LIMITS.waiting_max > LIMITS.performing_max)
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)


async def test_answers_that_wait_are_bounded(stage: Stage) -> None:
    """While nothing can be committed, so many answers wait and no more are asked for; then the others follow."""
    for claim in stage.intend(*range(1, 10), leased_s=30):
        stage.workers.offer([claim], stage.clock.monotonic_s())
        await passes()
    assert len(stage.performed) == LIMITS.answering_max
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)


async def test_what_is_due_comes_before_what_is_fresh(stage: Stage) -> None:
    """An intent that waits already is not overtaken by those that were just committed."""
    fresh = stage.intend(1, 2, 3, 4, 5, leased_s=30)
    stage.intend(6)
    stage.outside.clear()
    for claim in fresh:
        stage.workers.offer([claim], stage.clock.monotonic_s())
    assert await stage.workers.poll() == 1
    stage.outside.set()
    async with running(stage.shell.run()):
        await until(lambda: stage.done)
    assert [claim.correlation_id for claim in stage.performed] == [order(number) for number in (1, 2, 3, 6, 4, 5)]


@pytest.mark.parametrize("call", ["claim_intents", "reschedule"])
async def test_the_worlds_fault(stage: Stage, call: Call) -> None:
    """If the database is away, intents are claimed later, or are due again when their lease is over."""
    stage.intend(1)
    stage.errors.append(ConnectionError("refused"))
    stage.store.fail(call, LOST)
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert stage.store.failures_left == 0
    assert len(stage.performed) == 2


async def test_an_answer_as_the_process_ends(stage: Stage) -> None:
    """An answer that could not be committed any more is asked for again when the lease is over."""
    (claim,) = stage.intend(1, leased_s=30)
    stage.store.open.clear()
    async with running(stage.shell.run()):
        stage.workers.offer([claim], stage.clock.monotonic_s())
        await until(lambda: stage.store.batches)
    await stage.workers.drained()
    assert (stage.row().error, stage.row().parked) == (None, False)
    assert stage.row().leased_until_s > stage.clock.monotonic_s()


async def test_drained(stage: Stage) -> None:
    """Draining finishes what was begun, starts and claims nothing more, and gives back the rest, due at once."""
    claims = stage.intend(*range(1, 6), leased_s=30)
    stage.intend(6, 7)
    stage.outside.clear()
    async with running(stage.shell.run()):
        stage.workers.offer(claims, stage.clock.monotonic_s())
        await until(lambda: stage.at_once == 3)
        draining = asyncio.create_task(stage.workers.drained())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(draining), timeout=LIMITS.perform_timeout_s / 2)
        assert await stage.workers.poll() == 0
        stage.workers.offer(stage.intend(7, leased_s=30), stage.clock.monotonic_s())
        stage.outside.set()
        await draining
    assert [claim.correlation_id for claim in stage.performed] == [order(number) for number in (1, 2, 3)]
    assert all(stage.row(number).leased_until_s < stage.clock.monotonic_s() for number in (4, 5, 6, 7))
    assert [stage.row(number).claim.attempts for number in (4, 5, 6, 7)] == [0, 0, 0, 0]


async def test_drained_while_it_claims(stage: Stage) -> None:
    """What a poll brings home too late is given back as well."""
    stage.intend(1)
    stage.store.open.clear()
    polling = asyncio.create_task(stage.workers.poll())
    await until(lambda: stage.row().claim.token)
    await stage.workers.drained()
    stage.store.open.set()
    await polling
    await until(lambda: stage.row().leased_until_s < 0)
    assert stage.performed == []


async def test_drained_without_a_database(stage: Stage) -> None:
    """What cannot be given back is due again when its lease is over; the stop does not wait for it."""
    claims = stage.intend(1, 2, 3, 4, leased_s=30)
    stage.store.fail("release_intents", LOST)
    stage.outside.clear()
    stage.workers.offer(claims, stage.clock.monotonic_s())
    await until(lambda: stage.at_once == 3)
    stage.outside.set()
    async with running(stage.shell.run()):
        await stage.workers.drained()
    assert stage.store.failures_left == 0
    assert stage.row(4).leased_until_s > 0


async def test_an_intent_that_nobody_was_asked_about(stage: Stage) -> None:
    """It comes again when that makes sense, and what was not asked is no attempt: the backoff does not grow."""
    stage.intend(1)
    stage.errors = [NotAskedError("away", 5.0) for _ in range(4)] + [UnansweredError("no")]
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.done)
    assert [claim.attempts for claim in stage.performed] == [1] * 5 + [2]
    assert stage.errors == []
