"""Two replicas of a service that take a step each at the same time, in reality and in the model."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeAlias

from tests.reality.turnstile import Turnstile
from tests.simulation.process import Memory, Process
from tests.simulation.process_steps import TABLE_OF, Done, done_by
from tests.simulation.states import states_of
from tests.simulation.steps import INSIDE, absorbed
from tests.simulation.store import At, MemoryStore, MemoryTransaction
from tests.simulation.tables import Tables
from tests.simulation.world import Action, World

ORDERS_MAX = 256
"""So many orders of two replicas' transactions are tried in the model."""

Pair: TypeAlias = tuple[Process, Process]
Actions: TypeAlias = tuple[Action, Action]


def meet(
    world: World,
    actions: Actions,
    pair: Pair,
    turnstile: Turnstile,
    read: Callable[[], Tables],
    do: Callable[..., Done] = done_by,
    name: Callable[[World, Action], Action] = lambda _, action: action,
) -> World:
    """Have each of a pair take its step, and forget what is confirmed; what the second asks, the first asks then.

    `read` tells what they leave in their tables, `do` does a step, and `name` tells what an action is in this world.

    Raises:
        DeadlockError: they could not go on.
    """
    service, works = actions[0].service, []
    before = world.tables[service]
    for process, action in zip(pair, actions, strict=True):
        subject, world = INSIDE[action.kind](world, name(world, action))
        works.append(partial(do, process, before, action, subject, world.gone))
    dones, alive = turnstile.run(*works), [process for process in pair if not process.is_dead]
    for process in alive:
        do(process, process.store.tables, Action("tidy", service), None, world.gone)
    after = read()
    for action, done in zip(actions, dones, strict=True):
        world = absorbed(world, action, done._replace(tables=after)).spent(action.budget)
    asking = tuple(claim for process in alive for claim in process.memory.asking)
    merged = Memory(pair[0].memory.life, frozenset(), asking)
    return world._replace(memories={**world.memories, service: merged})


def in_any_order(world: World, actions: Actions) -> Iterator[World]:
    """Give what the model comes to where the replicas' transactions come one after the other, for every order."""
    orders: list[tuple[int, ...]] = [()]
    for _ in range(ORDERS_MAX):
        if not orders:
            return
        taken, order = list[int](), orders.pop()

        def choose(ready: Sequence[int], taken: list[int] = taken, order: tuple[int, ...] = order) -> int:
            taken.append(order[len(taken)] if len(taken) < len(order) else ready[0])
            if len(ready) > 1 and len(taken) > len(order):
                orders.append((*taken[:-1], ready[1]))
            return taken[-1]

        yield _met_in_memory(world, actions, Turnstile(choose))
    raise AssertionError("more orders than can be tried")


def _met_in_memory(world: World, actions: Actions, turnstile: Turnstile) -> World:
    service = actions[0].service
    memory, schema = world.memories[service], Schema()
    first, second = (
        Process(TABLE_OF[service], each, partial(SharedStore, service, schema, partial(turnstile.pass_as, number)))
        for number, each in enumerate((memory, Memory(memory.life)))
    )
    return meet(world, actions, (first, second), turnstile, lambda: schema.tables)


class Schema:
    """A schema in memory that two replicas have."""

    def __init__(self) -> None:
        self.tables = Tables()


class SharedStore(MemoryStore):
    """One replica's way to it. Whatever it does, it does at once, when it is its turn."""

    def __init__(self, service: str, schema: Schema, gate: Callable[[], None], at: At) -> None:
        self._schema = schema
        self._gate = gate
        super().__init__(states_of(service), at)

    @property
    def tables(self) -> Tables:
        """What is committed."""
        return self._schema.tables

    @tables.setter
    def tables(self, tables: Tables) -> None:
        self._schema.tables = tables

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryTransaction]:
        """Begin in turn; nobody else does anything before it has ended."""
        self._gate()
        async with super().transaction() as transaction:
            yield transaction


def _in_turn(method: Callable[..., Any]) -> Callable[..., Any]:
    async def ask(self: SharedStore, *arguments: Any, **named: Any) -> Any:
        self._gate()
        return await method(self, *arguments, **named)

    return ask


ALONE = (
    "watch", "suspect", "acquit", "delete_confirmed", "claim_unsent", "claim_intents", "release_intents", "reschedule",
    "park", "keep",
)  # fmt: skip
"""What a store does in a transaction of its own."""
for _each in ALONE:
    setattr(SharedStore, _each, _in_turn(getattr(MemoryStore, _each)))
