"""The shell: whole works in batches, one transaction at a time, whatever the world does meanwhile."""

import asyncio
from itertools import count

import pytest

from shared.batch import Duplicate, Raised
from shared.outcome import Advanced, Ignored
from shared.ports import Posted, RefusedError, TooSlowError
from tests.unit.shared.fakes import STEPS, Step
from tests.unit.shared.loop import running, until
from tests.unit.shared.shell_stage import LOST, Stage, kinds
from tests.unit.shared.toy import command, cue, cues, encored

SLOW = TooSlowError("canceling statement due to statement timeout")


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_results_come_in_order(stage: Stage) -> None:
    """A work is told what came of each of its events."""
    results = await stage.play(*cues("play", "rest", "break", "both"))
    assert kinds(results) == [Advanced, Ignored, Raised, Advanced]
    assert stage.plays == 2
    assert sorted(stage.store.tables.inbox.values()) == ["advanced", "advanced", "ignored"]


async def test_public_events_alone_are_for_the_outbox(stage: Stage) -> None:
    """What was committed is told once: what is to be published, and what to be carried out."""
    items = cues("both", "promise")
    results = await stage.play(*items)
    (committed,) = stage.commits
    assert [entry.type for entry in committed.unsent] == ["toy.played.v1"]
    assert set(stage.store.tables.outbox) == {entry.event_id for entry in committed.unsent}
    assert [claim.intent.kind for claim in committed.claims] == ["encore"]
    assert (tuple(committed.items), tuple(committed.results)) == (items, results)


async def test_a_commit_says_when_it_began(stage: Stage) -> None:
    """Graces and leases are counted from before the transaction, however long it took: the database counts so too."""
    stage.store.open.clear()
    began_s = stage.clock.monotonic_s()
    async with running(stage.shell.run()):
        waiting = stage.shell.submit(cue())
        await until(lambda: stage.store.batches)
        slept_s = 10.0
        await stage.clock.sleep(slept_s)
        stage.store.open.set()
        await waiting
    (committed,) = stage.commits
    assert began_s <= committed.began_s < began_s + slept_s


async def test_a_commit_says_how_long_its_reactions_took(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a clock that is a second later whenever one looks."""
    looks = count(5.0)
    monkeypatch.setattr(stage.clock, "monotonic_s", lambda: next(looks))
    await stage.play(cue())
    (committed,) = stage.commits
    assert committed.reacting_s == 1.0


async def test_what_is_logged_belongs_to_the_trace_of_the_reaction(stage: Stage) -> None:
    """Not to that of its cause, where reactions are spans of their own."""
    stage.shell = stage.born(follow=lambda cause: f"of {cause.type}")
    await stage.play(cue("both"))
    (committed,) = stage.commits
    assert [entry.traceparent for entry in committed.unsent] == ["of toy.cue.v1"]


async def test_takes_what_is_there(stage: Stage) -> None:
    """What waits goes into one batch; what comes while it commits goes into the next."""
    stage.store.open.clear()
    waiting = [stage.shell.submit(cue()) for _ in range(3)]
    async with running(stage.shell.run()):
        await until(lambda: stage.store.batches)
        waiting += [stage.shell.submit(cue()) for _ in range(2)]
        assert stage.store.batches == [3]
        stage.store.open.set()
        await asyncio.gather(*waiting)
    assert stage.store.batches == [3, 2]


@pytest.mark.parametrize(
    ("works", "batches"),
    [
        ([4, 4, 4], [8, 4]),
        ([10, 1], [10, 1]),
        ([9, 1, 1], [10, 1]),
        ([9, 2, 1], [9, 3]),
        ([25, 1], [25, 1]),
        ([1] * 23, [10, 10, 3]),
    ],
)
async def test_batch_bound(stage: Stage, works: list[int], batches: list[int]) -> None:
    """A batch has so many events at the most, whole works only, in the order they came; a big work goes alone."""
    done = [stage.shell.submit(*[cue() for _ in range(size)]) for size in works]
    async with running(stage.shell.run()):
        await asyncio.gather(*done)
    assert stage.store.batches == batches
    assert stage.plays == sum(works)


async def test_one_event_waits_for_no_other(stage: Stage) -> None:
    """A batch never waits to fill up."""
    await stage.play(cue())
    assert stage.store.batches == [1]
    assert stage.clock.slept_s == []


async def test_a_lost_answer_is_a_duplicate(stage: Stage) -> None:
    """Where only the answer of a commit was lost, the batch finds its ids in the inbox and does nothing twice."""
    stage.store.fail("commit_answer", LOST)
    assert await stage.play(*cues("play", "both")) == (Duplicate(), Duplicate())
    assert stage.plays == 2
    assert [list(commit.unsent) for commit in stage.commits] == [[]]
    assert len(stage.store.tables.outbox) == 2


async def test_what_raised_may_come_again(stage: Stage) -> None:
    """An event whose reaction raised is no duplicate when it is retried."""
    item = cue("break")
    assert kinds(await stage.play(item)) == [Raised]
    assert kinds(await stage.play(item)) == [Raised]
    assert stage.store.tables.inbox == {}


async def test_an_answer_that_raised_leaves_its_intent(stage: Stage) -> None:
    """An intent goes in the very transaction that reacts to its answer, and not before."""
    await stage.play(cue("promise"))
    (claim,) = stage.commits[-1].claims
    await stage.play(encored(claim.intent_id, breaks=True))
    assert len(stage.store.tables.intents) == 1
    await stage.play(encored(claim.intent_id))
    assert stage.store.tables.intents == {}


async def test_what_is_confirmed_goes_along(stage: Stage) -> None:
    """Rows that the broker has confirmed are deleted by the next batch."""
    await stage.play(cue())
    (event_id,) = stage.store.tables.outbox
    stage.confirmations.restore([Posted(event_id)])
    await stage.play(cue("rest"))
    assert stage.store.tables.outbox == {}
    assert stage.confirmations.waiting == []


@pytest.mark.parametrize("step", STEPS)
async def test_what_is_confirmed_is_not_forgotten(stage: Stage, step: Step) -> None:
    """A transaction that fails gives them back; refused or lost, they are deleted by a later one."""
    await stage.play(cue())
    (event_id,) = stage.store.tables.outbox
    stage.confirmations.restore([Posted(event_id)])
    stage.store.fail(step, RefusedError("no"))
    assert kinds(await stage.play(command("rest"))) == [Raised]
    assert stage.confirmations.waiting == [Posted(event_id)]
    await stage.play(cue("rest"))
    assert stage.store.tables.outbox == {}
