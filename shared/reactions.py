"""The table of a service: which events it reacts to, with which function, causing what.

The table is read, never configured: the annotation of a reaction names every event and intent that it can
cause, and from the tables of all services the topology and the choreography are derived.
"""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import UnionType
from typing import Any, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

from shared.event import Event
from shared.outcome import Advanced, Ignored, Intent

Function: TypeAlias = Callable[[Any, Any], Any]
F = TypeVar("F", bound=Function)


class UndeclaredError(Exception):
    """Something came about that no table, annotation or intent declares."""


@dataclass(frozen=True, slots=True)
class Reaction:
    """One row of the table."""

    event: type[Event]
    function: Callable[[Any, Any], Advanced[Any] | Ignored]
    causes: frozenset[type[Event]]
    intends: frozenset[type[Intent]]
    takes: str | None = None
    """The scarce good that it holds or sells."""
    undoes: tuple[Function, ...] = ()
    """The reactions of the same table that it takes back."""
    withdraws: tuple[type[Intent], ...] = ()
    """The intents that it may end before they are carried out."""


class Reactions:
    """The reaction table of `service`, in the order in which a reader meets its rows."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._rows: dict[type[Event], Reaction] = {}

    def on(
        self,
        event: type[Event],
        *,
        takes: str | None = None,
        undoes: tuple[Function, ...] = (),
        withdraws: tuple[type[Intent], ...] = (),
    ) -> Callable[[F], F]:
        """Add the decorated function as the reaction to `event`, with what its annotation cannot say.

        Raises:
            ValueError: the event has a reaction already, or is final, the function's annotation is not an
                `Outcome[…]`, or what it is to undo takes nothing.
        """

        def add(function: F) -> F:
            if event in self._rows:
                raise ValueError(f"{self.service} reacts to {event.kind.name} already")
            if event.kind.final:
                raise ValueError(f"{event.kind.name} is final: nobody reacts to it")
            for step in undoes:
                if not any(row.function is step and row.takes for row in self):
                    raise ValueError(f"{function.__name__} undoes {step.__name__}, which takes nothing")
            declared = _declared(function)
            self._rows[event] = Reaction(
                event,
                function,
                causes=frozenset(c for c in declared if issubclass(c, Event)),
                intends=frozenset(c for c in declared if issubclass(c, Intent)),
                takes=takes,
                undoes=undoes,
                withdraws=withdraws,
            )
            return function

        return add

    def __iter__(self) -> Iterator[Reaction]:
        return iter(self._rows.values())

    def __getitem__(self, event: type[Event]) -> Reaction:
        return self._rows[event]

    def react(self, event: Event, state: Any) -> Advanced[Any] | Ignored:
        """Run the reaction to `event` and hold its outcome against what it declared.

        Raises:
            UndeclaredError: no reaction, or an outcome that its annotation does not name.
            Exception: whatever the reaction raises.
        """
        row = self._rows.get(type(event))
        if row is None:
            raise UndeclaredError(f"{self.service} has no reaction to {event.kind.type}")
        outcome = row.function(event, state)
        if not isinstance(outcome, Advanced | Ignored):
            raise UndeclaredError(f"{row.function.__name__} gave {outcome!r}, which is no outcome")
        if isinstance(outcome, Advanced):
            undeclared = [type(e).__name__ for e in outcome.events if type(e) not in row.causes]
            undeclared += [type(i).__name__ for i in outcome.intents if type(i) not in row.intends]
            undeclared += [kind.__name__ for kind in outcome.withdrawn if kind not in row.withdraws]
            if undeclared:
                raise UndeclaredError(f"{row.function.__name__} does not declare {', '.join(sorted(undeclared))}")
        return outcome

    @property
    def consumed(self) -> tuple[type[Event], ...]:
        """The public events of other services that this one reacts to: each has a lane."""
        return tuple(r.event for r in self if r.event.kind.public and r.event.kind.owner != self.service)

    @property
    def published(self) -> tuple[type[Event], ...]:
        """The public events that some reaction of this service causes."""
        public = {event for row in self for event in row.causes if event.kind.public}
        return tuple(sorted(public, key=lambda event: event.kind.type))


def _declared(function: Callable[..., Any]) -> tuple[type[Any], ...]:
    """Read `Outcome[A | B]` off a function: (A, B)."""
    annotation = get_type_hints(function).get("return", inspect.Signature.empty)
    arms = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    for arm in arms:
        if get_origin(arm) is Advanced:
            (caused,) = get_args(arm)
            return get_args(caused) if get_origin(caused) in (Union, UnionType) else (caused,)
    raise ValueError(f"{function.__name__} is not annotated with an Outcome[…]")
