"""Who waits for the shell: commands that are asked again, callers that go away, and the end of the process."""

import asyncio

import pytest

from shared.batch import Answered, Item, KeyReused, Raised
from shared.ports import Answer, Posted
from shared.shell import Committed, StoppedError
from tests.unit.shared.loop import passes, running, until
from tests.unit.shared.shell_stage import LOST, Stage, kinds
from tests.unit.shared.toy import command, cue, cues, encored, order


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_a_lost_answer_of_a_command_is_found(stage: Stage) -> None:
    """So a command is told what it was told the first time."""
    stage.store.fail("commit_answer", LOST)
    assert await stage.play(command("play")) == (Answered(Answer(200, {"plays": 1})),)
    assert stage.plays == 1


async def test_a_command_is_done_once(stage: Stage) -> None:
    """The same request is answered as before, whatever has happened since, and does nothing."""
    await stage.play(command("play"))
    await stage.play(cue("play"))
    again, other = await stage.play(command("play"), command("play", key="another"))
    assert again == Answered(Answer(200, {"plays": 1}))
    assert isinstance(other, Answered)
    assert other.answer == Answer(200, {"plays": 3})
    assert len(stage.store.tables.inbox) == 3


async def test_a_key_is_for_one_request(stage: Stage) -> None:
    """The same key with another body is refused, and does nothing."""
    await stage.play(command("play"))
    assert await stage.play(command("play", body_hash="other")) == (KeyReused(),)
    assert stage.plays == 1


async def test_a_command_that_failed_may_be_asked_again(stage: Stage) -> None:
    """It changed nothing, and nothing is stored under its key."""
    assert kinds(await stage.play(command("break"))) == [Raised]
    assert kinds(await stage.play(command("play"))) == [Answered]


async def test_a_message_that_went_away(stage: Stage) -> None:
    """What the broker will deliver again, because its channel was lost, is not begun; the others are answered."""
    stage.store.open.clear()
    async with running(stage.shell.run()):
        first = stage.shell.submit(cue())
        await until(lambda: stage.store.batches)
        gone, waits = stage.shell.submit(*cues("play", "play")), stage.shell.submit(cue())
        gone.cancel()
        stage.store.open.set()
        await asyncio.gather(first, waits)
    assert stage.store.batches == [1, 1]
    assert stage.plays == 2


async def test_who_went_away_parts_no_batch(stage: Stage) -> None:
    """What waits before and behind it is committed together."""
    before, gone, behind = (stage.shell.submit(cue()) for _ in range(3))
    gone.cancel()
    async with running(stage.shell.run()):
        await asyncio.gather(before, behind)
    assert stage.store.batches == [2]


@pytest.mark.parametrize("item", [command(), encored(order())], ids=["command", "answer"])
async def test_a_caller_that_went_away(stage: Stage, item: Item) -> None:
    """A command, or the answer to an intent, comes only once: it is done though nobody waits for it any more."""
    gone, waits = stage.shell.submit(item), stage.shell.submit(cue())
    gone.cancel()
    async with running(stage.shell.run()):
        await waits
    assert stage.store.batches == [2]
    assert item.envelope.event_id in stage.store.tables.inbox


async def test_a_caller_that_goes_away_meanwhile(stage: Stage) -> None:
    """What has begun is done, whoever goes away."""
    stage.store.open.clear()
    async with running(stage.shell.run()):
        gone = stage.shell.submit(cue())
        await until(lambda: stage.store.batches)
        gone.cancel()
        stage.store.open.set()
        await stage.shell.submit(cue())
    assert stage.plays == 2


async def test_a_work_of_nothing(stage: Stage) -> None:
    """A work without events is answered, and costs no transaction."""
    assert await stage.play() == ()
    assert stage.store.batches == []


async def test_a_listener_that_fails_ends_the_shell(stage: Stage) -> None:
    """What was committed is never told as failed: the process ends, starts afresh, and finds it in its inbox."""

    def fail(committed: Committed) -> None:
        raise ZeroDivisionError("a mistake of ours")

    stage.shell = stage.born(on_commit=fail)
    done = stage.shell.submit(cue())
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(stage.shell.run(), timeout=1)
    assert stage.plays == 1
    assert isinstance(done.exception(), StoppedError)


async def test_a_shell_that_is_stopped_leaves_nobody_waiting(stage: Stage) -> None:
    """What runs and what waits is told that it will not be known here, so that a message goes back to its lane."""
    stage.store.open.clear()
    async with running(stage.shell.run()):
        taken = stage.shell.submit(cue())
        await until(lambda: stage.store.batches)
        waiting = stage.shell.submit(cue())
    for each in (taken, waiting):
        assert isinstance(told := each.exception(), StoppedError)
        assert str(told) == "this process is ending"


async def test_a_shell_that_had_nothing_to_do_is_stopped(stage: Stage) -> None:
    """It ends as one that was told to, and not with an error of its own."""
    runs = asyncio.create_task(stage.shell.run())
    await passes()
    runs.cancel()
    with pytest.raises(asyncio.CancelledError):
        await runs


async def test_drained(stage: Stage) -> None:
    """Drained is when nothing waits and nothing runs, also after the world was away."""
    await stage.shell.drained()
    stage.store.open.clear()
    stage.store.fail("commit", LOST)
    waiting = [stage.shell.submit(cue()) for _ in range(15)]
    draining = asyncio.create_task(stage.shell.drained())
    async with running(stage.shell.run()):
        await until(lambda: stage.store.batches)
        assert not draining.done()
        stage.store.open.set()
        await draining
    assert all(each.done() for each in waiting)


async def test_is_full(stage: Stage) -> None:
    """So many works may wait before callers should be told to come back later."""
    for _ in range(3):
        assert not stage.shell.is_full
        stage.shell.submit(cue())
    assert stage.shell.is_full
    async with running(stage.shell.run()):
        await stage.shell.drained()
    assert not stage.shell.is_full


async def test_cancelled_while_it_commits(stage: Stage) -> None:
    """A shell that is told to stop gives back what it took, and commits nothing by halves."""
    stage.store.open.clear()
    stage.confirmations.restore([Posted(order())])
    stage.shell.submit(cue())
    async with running(stage.shell.run()):
        await until(lambda: stage.store.batches)
        assert stage.confirmations.waiting == []
    assert stage.confirmations.waiting == [Posted(order())]
    assert (stage.plays, stage.commits) == (0, [])
