"""Every way in which the transactions of two replicas can overlap, the shortest first.

A process in the middle of something cannot be copied, so whatever comes next is come to from the beginning each time:
a few dozen steps. That two ways lead to the same is known by what the replicas were told, and they go on from one.
"""

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
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
    breaks: Sequence[Break] = field(default_factory=list)

    def __str__(self) -> str:
        """Sum it up."""
        return summed_up(self.states, self.transitions, self.depth, len(self.ends), self.took_s)


def explore(overlap: Overlap, removed: Collection[str] = (), crashes: int = 0) -> Explored:
    """Go everywhere until a promise breaks."""
    began_s, explored = perf_counter(), Explored()
    seen, near = set[Hashable](), [Path()]
    while near and not explored.breaks:
        beyond = list[Path]()
        for path in near:
            for further, after in _beyond(overlap, removed, crashes, path, explored):
                if after.key not in seen:
                    seen.add(after.key)
                    beyond.append(further)
        near = beyond
        explored.depth += bool(near)
    explored.states, explored.took_s = len(seen) + 1, perf_counter() - began_s
    return explored


def _beyond(
    overlap: Overlap, removed: Collection[str], crashes: int, path: Path, explored: Explored
) -> Iterator[tuple[Path, Meeting]]:
    """Take each of the choices at the end of a path, until one breaks a promise."""
    number, choices = 0, 1
    while number < choices and not explored.breaks:
        meeting = Meeting(overlap, removed, crashes)
        for taken in path:
            meeting.take(meeting.choices()[taken])
        choices = len(here := meeting.choices())
        if not here:
            explored.ends.add(meeting.schema.tables.key)
            return
        explored.transitions += 1
        if breaks := meeting.take(here[number]):
            explored.path, explored.breaks = (*path, number), breaks
        yield (*path, number), meeting
        number += 1
