"""Exhaustive mode: every state that a world can come to, each looked at once."""

import gc
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from infra.audit.findings import Break
from tests.simulation.choices import choices
from tests.simulation.facts import broken_at_once, broken_at_rest
from tests.simulation.process_steps import ProcessSteps
from tests.simulation.reduction import enough
from tests.simulation.steps import take
from tests.simulation.world import Action, World

STATES_MAX = 5_000_000


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A schedule that breaks promises."""

    actions: tuple[Action, ...]
    breaks: tuple[Break, ...]


@dataclass(slots=True)
class Explored:
    """What was looked at."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    ends: dict[int, World] = field(default_factory=dict)
    """The states in which nothing can happen any more, by their keys."""
    took_s: float = 0.0
    counterexample: Counterexample | None = None

    def __str__(self) -> str:
        """Sum it up."""
        much = f"{self.states:,} states, {self.transitions:,} transitions, {self.depth} deep, {len(self.ends):,} ends"
        return f"{much}, in {self.took_s:.1f} s ({self.transitions / self.took_s:,.0f} transitions a second)"


Watch = Callable[[World, Action, World], None]


def nobody(before: World, action: Action, after: World) -> None:
    """Watch nothing."""


def explore(world: World, removed: Collection[str] = (), watch: Watch = nobody, *, is_reduced: bool = True) -> Explored:
    """Go everywhere until a promise breaks; where it `is_reduced`, not in every order that comes to the same."""
    began_s = perf_counter()
    with _no_collection():
        explored = _Explorer(removed, watch, is_reduced=is_reduced).explore(world)
    explored.took_s = perf_counter() - began_s
    return explored


@contextmanager
def _no_collection() -> Iterator[None]:
    """Have nobody look for cycles meanwhile: there are few, and millions of objects that would be looked through."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class _Explorer:
    def __init__(self, removed: Collection[str], watch: Watch, *, is_reduced: bool) -> None:
        self._is_reduced = is_reduced
        self._processes = ProcessSteps(removed, parting=False)
        self._watch = watch
        self._came_from: dict[int, tuple[int, Action] | None] = {}
        self._explored = Explored()

    def explore(self, world: World) -> Explored:
        """Go from what is nearest to what is farther, so that the first counterexample is a short one."""
        explored = self._explored
        self._came_from[world.key] = None
        near = [world]
        while near and explored.counterexample is None:
            near = [after for here in near for after in self._beyond(here)]
            explored.depth += bool(near)
        explored.states = len(self._came_from)
        return explored

    def _beyond(self, here: World) -> Iterator[World]:
        """Give the worlds that a step leads to and that have not been seen yet."""
        for action in self._following(here):
            after = take(here, action, self._processes)
            if after is None:
                continue
            self._explored.transitions += 1
            self._watch(here, action, after)
            if breaks := broken_at_once(here, after):
                self._found((*self._way_to(here), action), breaks)
                return
            if (key := after.key) not in self._came_from:
                self._came_from[key] = here.key, action
                assert len(self._came_from) <= STATES_MAX, "more states than can be looked at: does it never settle?"
                yield after

    def _following(self, world: World) -> list[Action]:
        """Give what is to be tried from here. At an end, hold everything against all rules."""
        every = enough(world, self._processes) if self._is_reduced else choices(world)
        if not every:
            self._explored.ends[world.key] = world
            if breaks := broken_at_rest(world):
                self._found(self._way_to(world), breaks)
        return every

    def _found(self, actions: tuple[Action, ...], breaks: Sequence[Break]) -> None:
        self._explored.counterexample = self._explored.counterexample or Counterexample(actions, tuple(breaks))

    def _way_to(self, world: World) -> tuple[Action, ...]:
        actions, came_from = list[Action](), self._came_from[world.key]
        while came_from is not None:
            actions.append(came_from[1])
            came_from = self._came_from[came_from[0]]
        return tuple(reversed(actions))
