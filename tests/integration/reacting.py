"""Reaction tables with a fault in them: each is a service's own table, seen through a wrapper."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeAlias

from shared.outcome import Advanced, Ignored
from shared.reactions import Reactions

Function: TypeAlias = Callable[[Any, Any], Advanced[Any] | Ignored]


def wrapped(table: Reactions, around: Callable[[Function, Any, Any], Advanced[Any] | Ignored]) -> Reactions:
    """Give a table like `table`, each of whose reactions is run by `around(reaction, event, state)`."""
    copy = Reactions(table.service)
    for row in table:
        copy.on(row.event)(_around(row.function, around))
    return copy


def _around(function: Function, around: Callable[[Function, Any, Any], Advanced[Any] | Ignored]) -> Function:
    @wraps(function)
    def run(event: Any, state: Any) -> Advanced[Any] | Ignored:
        return around(function, event, state)

    return run


def raising(table: Reactions, fails: Callable[[Any], bool]) -> Reactions:
    """Give a table whose reactions raise where `fails(event)`, asked once for each attempt, says so."""

    def around(function: Function, event: Any, state: Any) -> Advanced[Any] | Ignored:
        if fails(event):
            raise BrokenError(f"cannot react to {event.order_id}")
        return function(event, state)

    return wrapped(table, around)


class BrokenError(Exception):
    """A bug in a reaction."""
