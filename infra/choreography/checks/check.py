"""What a check is: a promise, and a pure function that says how a dance breaks it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from infra.choreography.graph import Choreography


@dataclass(frozen=True, slots=True)
class Check:
    """One promise. `broken` gives a sentence for each way in which a dance breaks it."""

    name: str
    promise: str
    broken: Callable[[Choreography], Iterable[str]]


class Finding(NamedTuple):
    """One way in which a dance breaks one promise."""

    check: str
    how: str
