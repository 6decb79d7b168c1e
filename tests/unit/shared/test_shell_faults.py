"""The shell where things fail: the world, conflicts, what takes too long, what is refused, what nobody foresaw."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from shared.batch import HeldUp, Raised
from shared.ids import new_id
from shared.outcome import Advanced, Ignored
from shared.ports import ConflictError, RefusedError, TooSlowError, WorldError
from shared.shell import BUGS_MAX, CONFLICTS_MAX, TOO_SLOW_MAX, WORLD_BACKOFF
from tests.unit.shared.fakes import START, STEPS, Step
from tests.unit.shared.generated import SOME
from tests.unit.shared.loop import JumpingLoop, running
from tests.unit.shared.shell_stage import LOST, Stage, kinds
from tests.unit.shared.toy import Does, command, cue, cues, encored

SLOW = TooSlowError("canceling statement due to statement timeout")


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Collect what the kit logs."""
    messages: list[str] = []
    logger.enable("shared")
    sink = logger.add(lambda message: messages.append(message.record["message"]))
    yield messages
    logger.remove(sink)


def in_time_that_jumps(test: Callable[[], Awaitable[None]]) -> None:
    """Run what hypothesis repeats, each time in a loop of its own."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(test())  # type: ignore[arg-type]  # a coroutine


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [LOST, TimeoutError, ConflictError("somebody else wrote first")], ids=repr)
async def test_the_worlds_fault(stage: Stage, step: Step, error: Exception | type[Exception]) -> None:
    """Wherever the world fails, the same batch runs again, nothing is set aside, and all is done once."""
    failure = error if isinstance(error, Exception) else WorldError("timed out")
    stage.store.fail(step, failure, failure)
    results = await stage.play(*cues("play", "both", "rest"), command("promise"))
    assert stage.store.failures_left == 0
    assert not any(isinstance(result, Raised) for result in results)
    assert stage.plays == 3
    assert len(stage.store.tables.log) == 4
    assert len(stage.store.tables.outbox) == 2
    assert len(stage.commits) == 1


async def test_a_lost_connection_is_waited_for(stage: Stage) -> None:
    """The pauses grow as long as the world fails; a batch never gives up."""
    failures = 30
    stage.store.fail("begin", *[LOST] * failures)
    assert kinds(await stage.play(cue())) == [Advanced]
    assert stage.clock.slept_s == [WORLD_BACKOFF.delay_s(attempt) for attempt in range(1, failures + 1)]


async def test_what_takes_too_long_is_taken_apart(stage: Stage) -> None:
    """A batch that is never done in time is tried in halves; what only lost its connection stays whole."""
    stage.store.fail("write", *[SLOW] * TOO_SLOW_MAX)
    assert kinds(await stage.play(*cues("play", "rest", "play", "both"))) == [Advanced, Ignored, Advanced, Advanced]
    assert stage.store.batches == [*[4] * TOO_SLOW_MAX, 2, 2]
    stage.store.batches.clear()
    stage.store.fail("write", *[LOST] * 2 * TOO_SLOW_MAX)
    await stage.play(*cues("play", "play"))
    assert set(stage.store.batches) == {2}


async def test_two_that_take_too_long_are_tried_alone(stage: Stage) -> None:
    """There is no batch so small that it would run for ever, though each of its events goes through alone."""
    stage.store.fail("write", *[SLOW] * TOO_SLOW_MAX)
    assert kinds(await stage.play(*cues("play", "play"))) == [Advanced, Advanced]
    assert stage.store.batches == [*[2] * TOO_SLOW_MAX, 1, 1]


async def test_one_event_that_takes_too_long_is_not_set_aside(stage: Stage) -> None:
    """A disk that stands still for an hour is no event's fault."""
    failures = 10 * TOO_SLOW_MAX
    stage.store.fail("write", *[SLOW] * failures)
    assert kinds(await stage.play(cue())) == [Advanced]
    assert stage.store.batches == [1] * (failures + 1)


@pytest.mark.parametrize(("events", "named"), [(1, "toy.cue.v1 {0} of {1}"), (2, "a batch of 2"), (3, "a batch of 3")])
async def test_what_runs_again_is_named(stage: Stage, heard: list[str], events: int, named: str) -> None:
    """An event that holds everything up can be found by what is logged of it."""
    items = [cue() for _ in range(events)]
    stage.store.fail("write", LOST)
    await stage.play(*items)
    name = named.format(items[0].envelope.event_id, items[0].envelope.correlation_id)
    assert heard == [f"{name} runs again in 0.05 s: the connection is lost"]


@pytest.mark.parametrize(
    ("error", "told"), [(LOST, f"WorldError: {LOST}"), (ZeroDivisionError("of ann@example.org"), "ZeroDivisionError")]
)
async def test_what_holds_everything_up_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    """Since when, and what the world said; of a mistake of ours only the kind; once it is through, nothing is."""
    seen, sleep, times = [stage.shell.held_up], stage.clock.sleep, [START + timedelta(seconds=n) for n in range(3)]

    async def look(seconds: float) -> None:
        seen.append(stage.shell.held_up)
        await sleep(seconds)

    monkeypatch.setattr(stage.clock, "sleep", look)
    monkeypatch.setattr(stage.clock, "now", lambda: times.pop(0))
    stage.store.fail("write", error, error)
    await stage.play(*cues("play", "rest"))
    assert seen == [None, HeldUp(START, 2, told), HeldUp(START, 2, told)]
    assert stage.shell.held_up is None


async def test_a_refused_event_holds_nothing_up(stage: Stage) -> None:
    """What is taken apart down to one event, and set aside, is out of the way."""
    stage.store.fail("write", *[ZeroDivisionError("a mistake of ours")] * BUGS_MAX)
    await stage.play(cue())
    assert stage.shell.held_up is None


async def test_a_conflict_is_run_again_at_once(stage: Stage) -> None:
    """Who lost a race runs again without a pause, and is done as soon as the race is over."""
    stage.store.fail("write", *[ConflictError("version")] * (CONFLICTS_MAX - 1))
    assert kinds(await stage.play(cue())) == [Advanced]
    assert stage.clock.slept_s == []


async def test_too_many_conflicts_are_a_refusal(stage: Stage) -> None:
    """What conflicts again and again is no race: it is set aside, and the shell goes on."""
    stage.store.fail("write", *[ConflictError("version")] * CONFLICTS_MAX)
    (result,) = await stage.play(cue())
    assert isinstance(result, Raised)
    assert isinstance(result.error, ConflictError)
    assert kinds(await stage.play(cue())) == [Advanced]


async def test_what_nobody_foresaw_is_run_again(stage: Stage) -> None:
    """An error that is neither the world's nor a refusal may pass as well."""
    stage.store.fail("load", *[ZeroDivisionError("a mistake of ours")] * (BUGS_MAX - 1))
    assert kinds(await stage.play(*cues("play", "rest"))) == [Advanced, Ignored]
    assert stage.clock.slept_s == [WORLD_BACKOFF.delay_s(attempt) for attempt in range(1, BUGS_MAX)]


async def test_what_nobody_foresaw_ends_nothing(stage: Stage) -> None:
    """If it does not pass, the batch is taken apart, down to the event at fault, and the shell goes on."""
    stage.store.fail("write", *[ZeroDivisionError("a mistake of ours")] * BUGS_MAX)
    assert kinds(await stage.play(*cues("play", "rest", "play"))) == [Advanced, Ignored, Advanced]
    stage.store.fail("write", *[ZeroDivisionError("a mistake of ours")] * BUGS_MAX)
    (result,) = await stage.play(cue())
    assert isinstance(result, Raised)
    assert isinstance(result.error, ZeroDivisionError)
    assert stage.plays == 2


async def test_the_refused_one_is_found(stage: Stage) -> None:
    """Where a constraint refuses one event, it alone is set aside, and its neighbours are committed."""
    items = cues("play", "play", "poison", "play", "rest")
    results = await stage.play(*items)
    assert kinds(results) == [Advanced, Advanced, Raised, Advanced, Ignored]
    assert isinstance(results[2], Raised)
    assert isinstance(results[2].error, RefusedError)
    assert stage.plays == 3
    assert items[2].envelope.event_id not in stage.store.tables.inbox


@SOME
@given(st.lists(st.lists(st.sampled_from(["play", "poison", "break", "rest"]), min_size=1, max_size=5), max_size=6))
def test_any_are_refused(works: list[list[Does]]) -> None:
    """Whichever events are refused or raise, the results say which, and all the others are committed once."""

    async def play() -> None:
        stage = Stage()
        done = [stage.shell.submit(*cues(*work)) for work in works]
        async with running(stage.shell.run()):
            results = await asyncio.gather(*done)
        expected = {"play": Advanced, "poison": Raised, "break": Raised, "rest": Ignored}
        assert [kinds(each) for each in results] == [[expected[does] for does in work] for work in works]
        assert stage.plays == sum(work.count("play") for work in works)
        assert [entry.version for entry in stage.store.tables.log] == list(range(1, stage.plays + 1))

    in_time_that_jumps(play)


@SOME
@given(st.lists(st.tuples(st.sampled_from(STEPS), st.booleans()), max_size=12))
def test_any_failures(failures: list[tuple[Step, bool]]) -> None:
    """Whatever the world does, wherever and how often, the outcome is that of a world that did nothing."""

    async def play() -> None:
        stage = Stage()
        for step, conflicts in failures:
            stage.store.fail(step, ConflictError("somebody") if conflicts else LOST)
        await stage.play(*cues("play", "promise", "both", "withdraw", "break"), encored(new_id()), command("play", "a"))
        tables = stage.store.tables
        assert (stage.plays, len(tables.inbox)) == (5, 6)
        assert [entry.version for entry in tables.log] == list(range(1, len(tables.log) + 1))
        assert [entry.logged.type for entry in tables.log].count("toy.played.v1") == len(tables.outbox) == 3
        assert (tables.intents, len(tables.answers)) == ({}, 1)

    in_time_that_jumps(play)
