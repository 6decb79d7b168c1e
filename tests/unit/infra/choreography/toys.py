"""A small dance that keeps every promise, and the ways to spoil it.

A shop sells seats. Somebody asks for one, the till holds it and charges; somebody may stop it: the till undoes both.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import cast

from infra.choreography.graph import Choreography, Event, Intent, Reaction
from shared import event as kit
from shared.outcome import FOR_EVER
from shared.reactions import Reactions
from shared.topology import topology_of

SHOP, TILL = "shop", "till"
THINGS: tuple[Event | Reaction | Intent, ...] = (
    Event("ask", "ask.v1", SHOP, public=False, command=True),
    Event("stop", "stop.v1", SHOP, public=False, command=True),
    Event("opened", "opened.v1", SHOP),
    Event("sold", "sold.v1", SHOP, public=False, final=True),
    Event("stopped", "stopped.v1", SHOP),
    Event("over", "over.v1", SHOP, public=False, final=True),
    Event("noted", "noted.v1", TILL, public=False, final=True),
    Event("charged", "charged.v1", TILL, public=False),
    Event("undone", "undone.v1", TILL, public=False),
    Event("paid", "paid.v1", TILL),
    Event("returned", "returned.v1", TILL, closes="stopped"),
    Reaction(SHOP, "ask", "open", causes=("opened",)),
    Reaction(SHOP, "stop", "end", causes=("stopped",)),
    Reaction(SHOP, "paid", "sell", causes=("sold",)),
    Reaction(SHOP, "returned", "close", causes=("over",)),
    Reaction(TILL, "opened", "hold", causes=("noted",), intends=("till.charge",), takes="seats"),
    Reaction(TILL, "charged", "take", causes=("paid",)),
    Reaction(TILL, "stopped", "give_back", causes=("noted", "returned"), intends=("till.undo",), undoes=("till.hold",)),
    Reaction(TILL, "undone", "give", causes=("returned",)),
    Intent(TILL, "charge", answered_by=("charged",), bound="patience_s"),
    Intent(TILL, "undo", answered_by=("undone",), bound=FOR_EVER, undoes=("till.charge",)),
)


@dataclass(frozen=True, slots=True)
class Table:
    """As much of a reaction table as the topology is derived from."""

    service: str
    consumed: tuple[type[kit.Event], ...]


def dance(things: Iterable[Event | Reaction | Intent] = THINGS) -> Choreography:
    """Put a dance together, with the topology that belongs to it."""
    things = tuple(things)
    bare = Choreography(
        services=(SHOP, TILL),
        events={each.name: each for each in things if isinstance(each, Event)},
        reactions=tuple(each for each in things if isinstance(each, Reaction)),
        intents={each.name: each for each in things if isinstance(each, Intent)},
        settings={SHOP: frozenset(), TILL: frozenset({"patience_s"})},
        topology=topology_of([]),
    )
    tables = [Table(service, tuple(_class(bare.events[e]) for s, e in bare.lanes if s == service))
              for service in bare.services]  # fmt: skip
    return replace(bare, topology=topology_of(cast("Iterable[Reactions]", tables)))


def but(*others: Event | Reaction | Intent, without: Iterable[str] = ()) -> Choreography:
    """Put others into the dance, each in the place of what has its name if there is one, and take some away."""
    things = {(type(each), each.name): each for each in (*THINGS, *others)}
    return dance(each for each in things.values() if each.name not in without)


def _class(event: Event) -> type[kit.Event]:
    kind = kit.Kind(event.name, 1, event.owner, public=True)
    return type(event.name, (kit.Event,), {"kind": kind})
