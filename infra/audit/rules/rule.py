"""What a rule is: a promise, and a pure function that says how a fact breaks it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

F = TypeVar("F", contravariant=True)


class Kind(StrEnum):
    """When a promise holds."""

    INSTANT = "at every instant"
    """Inside one schema or one book, whatever is going on."""
    SETTLED = "once settled"
    """Between all of them, for an order to which nothing has happened for a bound."""
    OVERDUE = "within a bound"
    """Nothing waits for longer."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[F]):
    """One promise. `broken` gives a sentence for each way in which a fact breaks it."""

    name: str
    promise: str
    kind: Kind
    broken: Callable[[F], Iterable[str]]
    whole: bool = False
    """It needs a sum over all there is, so an audit of what changed leaves it out."""
