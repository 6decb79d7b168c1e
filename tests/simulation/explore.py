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
DEPTH_MAX_STEPS = 200
"""Worlds as small as those that are explored come to rest in less than half as many."""
NEVER = "whatever happens from here on, it never comes to rest"


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A schedule that breaks promises."""

    actions: tuple[Action, ...]
    breaks: tuple[Break, ...]
    is_told_by_its_path: bool = True
    """Whether who plays it again sees what is wrong; that nothing else leads anywhere either only the search sees."""


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
        return summed_up(self.states, self.transitions, self.depth, len(self.ends), self.took_s)


def summed_up(states: int, transitions: int, depth: int, ends: int, took_s: float) -> str:
    """Say how much was looked at, and how fast."""
    much = f"{states:,} states, {transitions:,} transitions, {depth} deep, {ends:,} ends"
    return f"{much}, in {took_s:.1f} s ({transitions / took_s:,.0f} transitions a second)"


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
        self._leads_to: dict[int, list[int]] = {}
        """By its key, the keys of the states that a step leads to this one from."""
        self._explored = Explored()

    def explore(self, world: World) -> Explored:
        """Go from what is nearest to what is farther, so that the first counterexample is a short one."""
        explored = self._explored
        self._came_from[key := world.key] = None
        near = [(key, world)]
        while near and explored.counterexample is None:
            if explored.depth > DEPTH_MAX_STEPS:
                self._never_settles(self._way_to(near[0][0]))
                break
            near = [beyond for key, here in near for beyond in self._beyond(key, here)]
            explored.depth += bool(near)
        explored.states = len(self._came_from)
        if explored.counterexample is None and (lost := self._lost()) is not None:
            way = self._way_to(lost)
            self._never_settles((*way, *self._round(world, way)))
        return explored

    def _beyond(self, key: int, here: World) -> Iterator[tuple[int, World]]:
        """Give the worlds, by their keys, that a step leads to and that have not been seen yet."""
        for action in self._following(key, here):
            after = take(here, action, self._processes)
            if after is None:
                continue
            self._explored.transitions += 1
            self._watch(here, action, after)
            if breaks := broken_at_once(here, after):
                self._found((*self._way_to(key), action), breaks)
                return
            self._leads_to.setdefault(there := after.key, []).append(key)
            if there not in self._came_from:
                self._came_from[there] = key, action
                assert len(self._came_from) <= STATES_MAX, "more states than can be looked at: does it never settle?"
                yield there, after

    def _following(self, key: int, world: World) -> list[Action]:
        """Give what is to be tried from here. At an end, hold everything against all rules."""
        every = enough(world, self._processes) if self._is_reduced else choices(world)
        if not every:
            self._explored.ends[key] = world
            if breaks := broken_at_rest(world):
                self._found(self._way_to(key), breaks)
        return every

    def _lost(self) -> int | None:
        """Walk back from the ends, and give the nearest state that none of them can be reached from."""
        found = set(self._explored.ends)
        back = list(found)
        while back:
            new = [key for key in self._leads_to.get(back.pop(), ()) if key not in found]
            found.update(new)
            back += new
        return next((key for key in self._came_from if key not in found), None)

    def _round(self, world: World, way: Sequence[Action]) -> Iterator[Action]:
        """Go on from where a way leads, until something comes up again."""
        for action in way:
            world = take(world, action, self._processes) or world
        seen = set[int]()
        while world.key not in seen:
            seen.add(world.key)
            tried = ((action, take(world, action, self._processes)) for action in choices(world))
            action, world = next((action, after) for action, after in tried if after is not None)
            yield action

    def _never_settles(self, way: tuple[Action, ...]) -> None:
        self._found(way, [Break("settles", "all of them", NEVER)], is_told_by_its_path=False)

    def _found(self, actions: tuple[Action, ...], breaks: Sequence[Break], *, is_told_by_its_path: bool = True) -> None:
        found = Counterexample(actions, tuple(breaks), is_told_by_its_path)
        self._explored.counterexample = self._explored.counterexample or found

    def _way_to(self, key: int) -> tuple[Action, ...]:
        actions, came_from = list[Action](), self._came_from[key]
        while came_from is not None:
            actions.append(came_from[1])
            came_from = self._came_from[came_from[0]]
        return tuple(reversed(actions))
