"""Intent workers: what was intended is carried out until it is answered, and the answer is brought home."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from shared.ids import derived_id
from shared.intents import NotAskedError, Reply, UnansweredError
from tests.unit.shared.fakes import Call, FakeClock, StoredIntent
from tests.unit.shared.intents_stage import LIMITS, LOST, Stage
from tests.unit.shared.loop import running, until
from tests.unit.shared.toy import Cue, Encored, Score, Tune, cue, order


@pytest.fixture
async def stage(clock: FakeClock) -> AsyncIterator[Stage]:
    stage = Stage(clock)
    yield stage
    await stage.end()


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
    assert row.due_s - began_s >= 0.75
    assert row.due_s - stage.clock.monotonic_s() <= 1.0, "whatever this machine took meanwhile"
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
    assert LIMITS.perform_timeout_s <= stage.clock.monotonic_s() - began_s < LIMITS.lease_s / 2


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


async def test_an_answer_that_is_not_declared_is_refused(stage: Stage) -> None:
    """What the intent does not name as an answer is reacted to by nobody, and at the bound the intent is parked."""
    stage.intend(1)
    stage.answers += [Reply(Cue(order_id=order()))] * 10
    async with running(stage.shell.run(), stage.workers.run()):
        await until(lambda: stage.row().parked)
    assert stage.row().error == "UndeclaredError: toy.cue.v1 does not answer encore"
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
