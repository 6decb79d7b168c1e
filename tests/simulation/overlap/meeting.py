"""Two replicas that take turns inside of their transactions, somebody who reads the log, and whoever dies meanwhile."""

import asyncio
from collections.abc import Collection, Hashable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import combinations_with_replacement
from typing import NamedTuple

from infra.audit.findings import Break
from shared.store.place import BEGINNING
from tests.simulation.facts import broken_at_once
from tests.simulation.overlap.schema import Placed, SharedSchema
from tests.simulation.overlap.transactions import OverlappingStore, Step
from tests.simulation.overlap.worlds import Overlap
from tests.simulation.process import Handed, Memory, Process
from tests.simulation.process_steps import TABLE_OF, WORK
from tests.simulation.store import At
from tests.simulation.world import OTHER_LIFE, Action, World

FIRST, SECOND, READER = "the first", "the second", "the reader"
REPLICAS = (FIRST, SECOND)


class Choice(NamedTuple):
    """Somebody takes a step; None: the replica dies, or the reader reads on."""

    who: str
    step: Step | None = None


class Replica:
    """A process in the middle of its work, and what it would do next; None once it is through."""

    def __init__(self, who: str, life: int, action: Action, schema: SharedSchema) -> None:
        self.who = who
        self.action = action
        self.next: Step | None = None
        self.told: tuple[Hashable, ...] = (life, action.what, schema.tables.key)
        """What its further way follows from: what has come to it, and what was the case at each of its turns."""
        self.store: OverlappingStore
        self.handed: list[Handed] = []
        self._schema = schema
        self._turn: asyncio.Future[None] | None = None
        self.process = Process(TABLE_OF[action.service], Memory(life), partial(self._stored_in, action.service))
        subject = action.what.event_id if action.kind == "command" else action.what
        self.process.loop.run(WORK[action.kind](self.process, action, subject, self.handed))

    def _stored_in(self, service: str, at: At) -> OverlappingStore:
        self.store = OverlappingStore(self.who, service, self._schema, self._wait, at)
        return self.store

    async def _wait(self, step: Step) -> None:
        self.next = step
        self._turn = asyncio.get_running_loop().create_future()
        await self._turn

    def go_on(self) -> None:
        """Take the step, and all that follows from it until the next."""
        assert self._turn is not None
        self.told = *self.told, self.next, self._schema.tables.key
        self.next = None
        self._turn.set_result(None)
        self.process.loop.run()

    @property
    def is_through(self) -> bool:
        """Whether its messages are acked, or its customer has an answer."""
        return self.process.heard is not None or (bool(self.handed) and all(message.acked for message in self.handed))

    def again(self) -> "Replica":
        """Give what is started in its place once it has died: what it had not acked comes anew, or is asked again."""
        self._schema.end_of(self.who)
        unacked = tuple(message.parcel._replace(redelivered=True) for message in self.handed if not message.acked)
        action = self.action._replace(what=unacked if self.action.kind == "deliver" else self.action.what.again())
        return Replica(self.who, self.process.memory.life + 1, action, self._schema)


class Meeting:
    """From where two replicas begin to where both are through. `crashes` of them may die on the way."""

    def __init__(self, overlap: Overlap, removed: Collection[str] = (), crashes: int = 0) -> None:
        self.overlap = overlap
        self.service = overlap.actions[0].service
        self.crashes = crashes
        self._serial = partial(one_after_the_other, overlap, crashes)
        self.schema = SharedSchema(overlap.world.tables[self.service], removed)
        self.replicas = {
            who: Replica(who, life, action, self.schema)
            for who, life, action in zip(REPLICAS, (1, OTHER_LIFE), overlap.actions, strict=True)
        }
        self.place = BEGINNING
        """How far the log is read."""
        self._seen: tuple[Placed, ...] = ()

    @property
    def key(self) -> Hashable:
        """Tell it from others by all that decides what can happen next."""
        told = tuple((replica.told, replica.next) for replica in self.replicas.values())
        seen = frozenset(each.place for each in self._seen)
        return self.schema.key, told, self.place, seen, self.crashes

    @property
    def conflicts(self) -> int:
        """How often somebody found that somebody else was there first."""
        return sum(replica.store.conflicts for replica in self.replicas.values())

    @property
    def at_work(self) -> dict[str, Step]:
        """What each of those who are not through would do next."""
        return {who: replica.next for who, replica in self.replicas.items() if replica.next is not None}

    def choices(self) -> list[Choice]:
        """Give what can happen next, always in the same order."""
        at_work = self.at_work
        going_on = [Choice(who, step) for who, step in at_work.items() if not self._kept_waiting(who, step)]
        reading = [Choice(READER)] if self.overlap.is_read and self.schema.page(self.place) else []
        return [*going_on, *reading, *(Choice(who) for who in at_work if self.crashes)]

    def _kept_waiting(self, who: str, step: Step) -> bool:
        return any(self.schema.holder(row) not in (None, who) for row in step.locks)

    def go(self, choice: Choice) -> None:
        """Let something happen."""
        if choice.who == READER:
            self._seen = *self._seen, *(page := self.schema.page(self.place))
            self.place = page[-1].place
        elif choice.step is not None:
            self.replicas[choice.who].go_on()
        else:
            self.replicas[choice.who] = self.replicas[choice.who].again()
            self.crashes -= 1

    def take(self, choice: Choice) -> Sequence[Break]:
        """Let something happen, and say which promises that breaks."""
        before = self._now()
        self.go(choice)
        if stuck := [*self._stuck()]:
            return stuck
        return [*broken_at_once(before, self._now()), *(() if self.choices() else self._broken_at_the_end())]

    def _now(self) -> World:
        world = self.overlap.world
        return world._replace(tables={**world.tables, self.service: self.schema.tables})

    def _stuck(self) -> Iterator[Break]:
        at_work = self.at_work
        if at_work and all(self._kept_waiting(who, step) for who, step in at_work.items()):
            yield Break("takes-turns", self.service, "each waits for the other: a deadlock")

    def _broken_at_the_end(self) -> Iterator[Break]:
        """Both are through, have left what comes of one after the other, and who read on to the end has seen it all."""
        for who in (who for who, replica in self.replicas.items() if not replica.is_through):
            yield Break("through", self.service, f"{who} replica does nothing more, and is not through")
        if self.schema.tables.key not in self._serial():
            yield Break("serial", self.service, "it is not what they would have left one after the other")
        seen = {each.place for each in self._seen}
        for place, entry in self.schema.log if self.overlap.is_read else ():
            if place not in seen:
                what = f"{entry.logged.type.rpartition('.')[0]} has position {place.position}"
                how = f"{what}: whoever has read on to {self.place.position} never sees it"
                yield Break("seen", str(entry.logged.correlation_id), how)


@lru_cache
def one_after_the_other(overlap: Overlap, crashes: int = 0) -> frozenset[int]:
    """Give what the tables come to where one is through before the other begins, either first, by their keys.

    So many of them may have died before they began: what a customer asks again has other ids.
    """
    deaths = (whose for many in range(crashes + 1) for whose in combinations_with_replacement(REPLICAS, many))
    return frozenset(_alone_first(overlap, who, dead) for dead in deaths for who in REPLICAS)


def _alone_first(overlap: Overlap, first: str, dead: Sequence[str]) -> int:
    meeting = Meeting(overlap, crashes=len(dead))
    for who in dead:
        meeting.go(Choice(who))
    while choices := meeting.choices():
        meeting.go(next((each for each in choices if each.who == first), choices[0]))
    return meeting.schema.tables.key
