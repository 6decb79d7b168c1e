"""Taking steps in reality: the simulator's processes over the real store, an operator's hand through the real desk."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from shared.desk import Desk
from shared.letters import Selection
from shared.ports import Message, NotConfirmedError
from shared.store.dead_letters import DeadLetters
from shared.store.parked import ParkedRows
from shared.store.place import Place
from shared.store.refill import Refill
from tests.reality.alike import letter_like, parcels_like
from tests.reality.database import Database, Line, no_gate
from tests.reality.reading import read
from tests.reality.replicas import Actions, meet
from tests.reality.store import RealStore
from tests.reality.turnstile import Turnstile
from tests.simulation.broker import LANES, Parcel, routed
from tests.simulation.process import Memory, Process
from tests.simulation.process_steps import TABLE_OF, Done, ProcessSteps, done_by
from tests.simulation.steps import take
from tests.simulation.tables import Tables
from tests.simulation.world import Action, World

ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)
"""Before anything was logged."""


class RealSteps(ProcessSteps):
    """Does steps with processes that live on between them, and die where the world says so. Nothing is looked up."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.database = database
        self.generations: dict[int, int] = {}
        """The world's number of a refill, by the transaction that it was."""

    def do(self, tables: Tables, memory: Memory, action: Action, subject: Any, gone: frozenset[str]) -> Done:
        """Do a step, and read what it has left in the schema."""
        done = _do(self._process(action.service, memory), tables, action, subject, gone)
        return done._replace(tables=read(self.database, action.service))

    def both(self, world: World, actions: Actions, chance: random.Random) -> World:
        """Have two replicas of a service do a step each at the same time. Raises `DeadlockError`."""
        service = actions[0].service
        lines = self.database.lines[service], self.database.others[service]
        memory = world.memories[service]
        pair = self._process(service, memory), _process(service, Memory(memory.life), lines[1])
        turnstile = Turnstile(chance.choice, lambda: self.database.kept_waiting(lines))
        for number, line in enumerate(lines):
            line.gate = partial(turnstile.pass_as, number)
        try:
            world = meet(world, actions, pair, turnstile, partial(read, self.database, service), _do, like)
        finally:
            for line in lines:
                line.gate = no_gate
        self._processes[service] = _process(service, world.memories[service], lines[0])
        return world

    def _process(self, service: str, memory: Memory) -> Process:
        process = self._processes.get(service)
        if process is None or process.is_dead or process.memory.life != memory.life:
            process = self._processes[service] = _process(service, memory, self.database.lines[service])
        return process


def _do(process: Process, tables: Tables, action: Action, subject: Any, gone: frozenset[str]) -> Done:
    """Have a process do a step, and break its connections if it dies."""
    done = done_by(process, tables, action, subject, gone)
    if process.is_dead:
        process.store.die()  # type: ignore[attr-defined]  # it is a RealStore
    return done


def _process(service: str, memory: Memory, line: Line) -> Process:
    return Process(TABLE_OF[service], memory, partial(RealStore, line))  # type: ignore[arg-type]  # it has them all, some by another name


def take_really(world: World, action: Action, steps: RealSteps) -> World:
    """Take a step of the model's in reality."""
    if action.kind in BY_HAND:
        done = BY_HAND[action.kind](world, action, steps)
        return done.spent(action.budget) if action.budget else done
    after = take(world, like(world, action), steps)
    assert after is not None
    return after


def like(world: World, action: Action) -> Action:
    """Name the messages of reality that are like those that the model's action is about."""
    if action.kind == "deliver":
        return action._replace(what=tuple(parcels_like(world.parcels, action.what)))
    if action.kind in ("drain", "wait"):
        (parcel,) = parcels_like(world.parcels, [action.what])
        return action._replace(what=parcel)
    return action


class _Sent:
    """A publisher whose broker takes everything."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []

    async def publish(self, messages: Iterable[Message]) -> Sequence[NotConfirmedError | None]:
        """Put messages into their queues."""
        for message in (messages := list(messages)):
            self.parcels += routed(message)
        return [None] * len(messages)


def _replay(world: World, action: Action, steps: RealSteps) -> World:
    """Have an operator send a letter back to its lane."""
    service = action.service
    line = steps.database.lines[service]
    desk = Desk(TABLE_OF[service], DeadLetters(line.engine), sent := _Sent())
    letter = letter_like(world.tables[service].letters.values(), action.what)
    line.ask(desk.replay(Selection(letter_ids=(letter.letter_id,)), "a replay", dry_run=False))
    tables = {**world.tables, service: read(steps.database, service)}
    return world._replace(tables=tables, parcels=(*world.parcels, *sent.parcels), deadly="")


def _refill(world: World, action: Action, steps: RealSteps) -> World:
    """Have an operator publish again what was logged for a lane."""
    service, kind = action.service, LANES[action.what].event.kind
    line, after, goes_on = steps.database.lines[service], None, True
    while goes_on:
        after = line.ask(Refill(line.engine).lot([kind.type], ALWAYS, after, "a refill")).next
        goes_on = isinstance(after, Place)
    tables, generation = read(steps.database, service), world.generation + 1
    for row in tables.outbox.values():
        if row.generation:
            steps.generations.setdefault(row.generation, generation)
    tables_of = {**world.tables, service: tables}
    return world._replace(tables=tables_of, lossy=world.lossy - {action.what}, generation=generation)


def _release(world: World, action: Action, steps: RealSteps) -> World:
    """Have an operator let a parked intent be tried anew."""
    service = action.service
    line, row = steps.database.lines[service], world.tables[service].intents[action.what]
    line.ask(ParkedRows(line.engine).release([row.claim.intent_id], "a release"))
    return world._replace(tables={**world.tables, service: read(steps.database, service)})


BY_HAND: Mapping[str, Callable[[World, Action, RealSteps], World]] = {
    "replay": _replay,
    "refill": _refill,
    "release": _release,
}
"""What the model does to a service's tables itself, and the kit's own code does here."""
