"""The event that ends every process which reacts to it is found and set aside, and all others go through."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.batch import Deadly, Duplicate, Item, Raised, Result
from shared.event import Event
from shared.ids import new_id
from shared.outcome import Advanced, Ignored
from shared.ports import WorldError
from shared.reactions import Reactions
from shared.shell import SUSPECT_RUNS_MAX, Shell
from tests.unit.shared.fakes import Call, FakeClock, FakeConfirmations, FakeStore
from tests.unit.shared.loop import running, until
from tests.unit.shared.toy import Cue, cue, cues, toy

LIVES_MAX = 20
LOST = WorldError("the connection is lost")


class KilledError(BaseException):
    """The process ends in the middle of a reaction, and nothing catches that."""


class Fragile(Reactions):
    """The toy's reactions, in a process that does not survive a cue to rest."""

    def react(self, event: Event, state: Any) -> Advanced[Any] | Ignored:
        """React, or end."""
        if isinstance(event, Cue) and event.does == "rest":
            raise KilledError
        return toy.react(event, state)


class World:
    """What is left when a process ends: its tables, and the messages that it did not ack."""

    def __init__(self, *messages: Sequence[Item]) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(self.clock)
        self.messages = list(messages)
        self.lives = 0
        self.results: dict[int, tuple[Result, ...]] = {}
        """Of each message, by its place."""

    def born(self, reactions: Reactions) -> Shell:
        """Give the shell of a new process."""
        return Shell(
            reactions,
            self.store,
            FakeConfirmations(),
            self.clock,
            lambda _: None,
            life=new_id(),
            batch_max_events=100,
            waiting_max_works=100,
        )

    async def live(self, reactions: Reactions | None = None) -> None:
        """Deliver what is not acked to a new process, until it has settled all of it or ends."""
        shell = self.born(reactions or Fragile("toy"))
        again = self.lives > 0
        self.lives += 1
        unacked = [number for number in range(len(self.messages)) if number not in self.results]
        waiting = [
            shell.submit(*(replace(item, redelivered=again) for item in self.messages[number])) for number in unacked
        ]
        runs = asyncio.create_task(_until_killed(shell))
        await asyncio.wait(waiting)  # a shell that ends tells everybody
        runs.cancel()
        await asyncio.gather(runs, return_exceptions=True)
        for number, done in zip(unacked, waiting, strict=True):
            if done.done() and done.exception() is None:
                self.results[number] = done.result()

    async def live_on(self) -> None:
        """Start process after process, until nothing is left to settle."""
        while len(self.results) < len(self.messages):
            assert self.lives < LIVES_MAX
            await self.live()


async def _until_killed(shell: Shell) -> None:
    try:
        await shell.run()
    except KilledError:
        return


def kinds(results: Sequence[Result]) -> list[type[Any]]:
    return [type(result) for result in results]


async def test_the_one_is_found_and_its_neighbours_go_through() -> None:
    """Of its own message and of the others that the process held; each has its one effect."""
    world = World(cues("play", "rest", "play"), cues("play"), cues("both", "both"))
    await world.live_on()
    assert kinds(world.results[0]) == [Duplicate, Deadly, Advanced]
    assert kinds(world.results[1]) == [Advanced]
    assert sum(versioned.state.plays for versioned in world.store.tables.states.values()) == 5
    assert world.store.tables.suspects.keys() == {world.messages[0][1].envelope.event_id}


async def test_it_ends_few_processes() -> None:
    """One in a batch with others, one in its message, and each alone run but the last, which is not begun."""
    world = World(cues("play", "rest"))
    await world.live_on()
    assert world.lives == 2 + SUSPECT_RUNS_MAX
    (_, deadly) = world.results[0]
    assert deadly == Deadly(SUSPECT_RUNS_MAX)


async def test_two_of_them() -> None:
    """Each is found, in one message or in two."""
    world = World(cues("rest", "play", "rest"), cues("rest"))
    await world.live_on()
    assert kinds(world.results[0]) == [Deadly, Duplicate, Deadly]
    assert kinds(world.results[1]) == [Deadly]


async def test_what_is_survived_is_forgotten() -> None:
    """A process that ended for another reason leaves no suspicion, whatever its events come to."""
    world = World(cues("play", "break"), cues("rest"))
    await world.live()
    world.messages[1] = cues("play")
    await world.live(toy)
    assert kinds(world.results[0]) == [Advanced, Raised]
    assert world.store.tables.suspects == {}


async def test_a_redelivery_to_the_same_process_is_no_suspicion() -> None:
    """A lost connection redelivers too; who had it lives on, so it ended nobody."""
    world = World()
    shell, item = world.born(toy), replace(cue("play"), redelivered=True)
    world.store.open.clear()
    async with running(shell.run()):
        given_up = [shell.submit(item) for _ in range(2 * SUSPECT_RUNS_MAX)]
        world.store.open.set()
        await asyncio.gather(*given_up)
        assert kinds(await shell.submit(item)) == [Duplicate]
    assert world.store.tables.suspects == {}


@pytest.mark.parametrize("call", ["watch", "suspect", "acquit"])
async def test_an_outage_is_no_suspicion(call: Call) -> None:
    """However often the database must be asked: this life counts once, and the event is reacted to."""
    world = World()
    item = replace(cue("play"), redelivered=True)
    await world.store.watch([item.envelope.event_id], new_id())
    world.store.fail(call, *[LOST] * 10)
    world.store.fail("commit", *[LOST] * 10)
    shell = world.born(toy)
    async with running(shell.run()):
        assert kinds(await shell.submit(item)) == [Advanced]
    assert world.store.failures_left == 0


async def test_a_stop_while_the_database_fails_is_no_suspicion() -> None:
    """An attempt that fails is survived: rows locked for an hour, and an operator who tries restarts, end nobody."""
    world = World(cues("play"))
    world.store.open.clear()
    for life in range(1, 2 * SUSPECT_RUNS_MAX):
        world.store.fail("write", LOST)
        shell = world.born(toy)
        async with running(shell.run()):
            shell.submit(replace(world.messages[0][0], redelivered=True))
            await until(lambda: len(world.store.batches) == 2 * life)  # noqa: B023 - asked within this life
    world.store.open.set()
    await world.live(toy)
    assert kinds(world.results[0]) == [Advanced]


async def test_what_is_refused_is_survived() -> None:
    """It is tried again as any event that fails, and takes no suspicion along."""
    world = World(cues("poison"))
    await world.store.watch([world.messages[0][0].envelope.event_id], new_id())
    world.lives = 1
    await world.live(toy)
    assert kinds(world.results[0]) == [Raised]
    assert world.store.tables.suspects == {}


async def test_a_suspect_shares_its_transaction_with_nobody() -> None:
    """What is redelivered is committed apart from what waits before and behind it."""
    world = World()
    shell = world.born(toy)
    suspect = [replace(item, redelivered=True) for item in cues("play", "play")]
    works = [(cue(),), (cue(),), suspect, (cue(),), (cue(),)]
    waiting = [shell.submit(*work) for work in works]
    async with running(shell.run()):
        await asyncio.gather(*waiting)
    assert world.store.batches == [2, 2, 2]
