"""Every way in which the transactions of two replicas can overlap.

A process in the middle of something cannot be copied, so where a way forks the other ways are come to from the
beginning: a few dozen steps. That two ways lead to the same is known by what the replicas were told, and one goes on.
"""

from collections import deque
from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import TypeAlias

from infra.audit.findings import Break
from tests.simulation.explore import summed_up
from tests.simulation.overlap.meeting import Meeting
from tests.simulation.overlap.worlds import Overlap

Path: TypeAlias = tuple[int, ...]
"""Which of the choices was taken, each time."""


@dataclass(slots=True)
class Explored:
    """What was looked at, and how a promise was broken."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    ends: set[int] = field(default_factory=set)
    """What the tables can look like when both are through, by their keys."""
    took_s: float = 0.0
    path: Path = ()
    breaks: Sequence[Break] = ()

    def __str__(self) -> str:
        """Sum it up."""
        return summed_up(self.states, self.transitions, self.depth, len(self.ends), self.took_s)


def explore(overlap: Overlap, removed: Collection[str] = (), crashes: int = 0) -> Explored:
    """Go everywhere until a promise breaks; where one does, give the shortest way that breaks one."""
    explored = _Search(overlap, removed, crashes).go(nearest_first=False)
    return _Search(overlap, removed, crashes).go(nearest_first=True) if explored.breaks else explored


class _Search:
    def __init__(self, overlap: Overlap, removed: Collection[str], crashes: int) -> None:
        self._begin = partial(Meeting, overlap, removed, crashes)
        self._explored = Explored()
        self._seen = set[Hashable]()
        self._ahead = deque[Path]()
        """Ways of which the last step is still to be taken."""

    def go(self, *, nearest_first: bool) -> Explored:
        """Take every step once; whoever goes far first goes on from where they are, and forks less often."""
        began_s = perf_counter()
        self._arrive(self._begin(), ())
        while self._ahead and not self._explored.breaks:
            path = self._ahead.popleft() if nearest_first else self._ahead.pop()
            meeting = self._along(path[:-1])
            while self._step(meeting, path) and not nearest_first and self._ahead and self._ahead[-1][:-1] == path:
                path = self._ahead.pop()
        self._explored.took_s = perf_counter() - began_s
        return self._explored

    def _along(self, path: Path) -> Meeting:
        meeting = self._begin()
        for number in path:
            meeting.go(meeting.choices()[number])
        return meeting

    def _step(self, meeting: Meeting, path: Path) -> bool:
        """Take the last step of a way; say whether it leads anywhere new."""
        explored = self._explored
        explored.transitions += 1
        explored.breaks = meeting.take(meeting.choices()[path[-1]])
        if explored.breaks:
            explored.path = path
        return not explored.breaks and meeting.key not in self._seen and self._arrive(meeting, path)

    def _arrive(self, meeting: Meeting, path: Path) -> bool:
        explored, choices = self._explored, meeting.choices()
        self._seen.add(meeting.key)
        self._ahead += [(*path, number) for number in range(len(choices))]
        explored.states, explored.depth = len(self._seen), max(explored.depth, len(path))
        if not choices:
            explored.ends.add(meeting.schema.tables.key)
        return bool(choices)
