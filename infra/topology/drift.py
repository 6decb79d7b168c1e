"""What the broker has, held against what the reaction tables say."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

from shared.topology import Binding, Exchange, Lane, Queue, Topology


class FoundExchange(BaseModel):
    """An exchange, as the broker's management interface tells of it."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: str
    durable: bool
    auto_delete: bool
    internal: bool
    arguments: Mapping[str, Any]


class FoundQueue(BaseModel):
    """A queue. How many messages it holds is a few seconds old, and unknown at first."""

    model_config = ConfigDict(frozen=True)

    name: str
    durable: bool
    auto_delete: bool
    exclusive: bool
    arguments: Mapping[str, Any]
    messages: int | None = None


class FoundBinding(BaseModel):
    """A binding, to a queue or to an exchange."""

    model_config = ConfigDict(frozen=True)

    source: str
    destination: str
    destination_type: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class Found:
    """All that a virtual host has."""

    exchanges: Sequence[FoundExchange]
    queues: Sequence[FoundQueue]
    bindings: Sequence[FoundBinding]


Part: TypeAlias = Exchange | Queue | Binding


@dataclass(slots=True)
class Drift:
    """Where the two differ."""

    missing: list[Part] = field(default_factory=list)
    """In the order in which it can be declared."""
    differing: list[str] = field(default_factory=list)
    """What is there and is not as it should be, as a line for a person: it cannot be changed, only made anew."""
    extra: list[str] = field(default_factory=list)
    """Bindings that bring to us what we do not expect."""


def drift_of(wanted: Topology, found: Found) -> Drift:
    """Compare."""
    exchanges = {exchange.name: exchange for exchange in found.exchanges}
    queues = {queue.name: queue for queue in found.queues}
    bindings = {_binding(binding) for binding in found.bindings if binding.destination_type == "queue"}
    return Drift(
        missing=[
            *(exchange for exchange in wanted.exchanges if exchange.name not in exchanges),
            *(queue for queue in wanted.queues if queue.name not in queues),
            *(binding for binding in wanted.bindings if binding not in bindings),
        ],
        differing=[
            *(line for want in wanted.exchanges for line in _exchange_differs(want, exchanges.get(want.name))),
            *(line for want in wanted.queues for line in _queue_differs(want, queues.get(want.name))),
        ],
        extra=_extra(wanted, found.bindings),
    )


def topology_with(parts: Iterable[Part]) -> Topology:
    """Put parts together, to be declared."""
    topology = Topology()
    for part in parts:
        match part:
            case Exchange():
                topology.exchanges.append(part)
            case Queue():
                topology.queues.append(part)
            case Binding():
                topology.bindings.append(part)
    return topology


def name_of(part: Part) -> str:
    """Name a part for a person."""
    match part:
        case Exchange(name):
            return f"exchange {name}"
        case Queue(name):
            return f"queue {name}"
        case Binding(exchange, queue, key):
            return f"binding {exchange} → {queue} ({key!r})"


def lanes_to_refill(wanted: Topology, part: Part) -> Sequence[Lane]:
    """Say which lanes may lack events once this part was missing.

    An exchange costs nothing: what is not routed is not confirmed, and stays in the outbox. Its bindings go with it
    and are parts of their own. A queue of retries or dead letters may have held events of any lane of its service.
    """
    match part:
        case Exchange():
            return ()
        case Queue(name):
            own = [lane for lane in wanted.lanes if lane.queue == name]
            return own or [lane for lane in wanted.lanes if lane.service == name.partition(".")[0]]
        case Binding(queue=queue):
            return [lane for lane in wanted.lanes if lane.queue == queue]


def _binding(found: FoundBinding) -> Binding:
    return Binding(found.source, found.destination, found.routing_key)


def _exchange_differs(want: Exchange, found: FoundExchange | None) -> Iterable[str]:
    if found is None:
        return
    plain = found.durable and not found.auto_delete and not found.internal and not found.arguments
    if not plain or found.type != want.type:
        yield f"exchange {want.name} is not as declared: {found!r} and not a plain durable {want.type}"


def _queue_differs(want: Queue, found: FoundQueue | None) -> Iterable[str]:
    if found is None:
        return
    plain = found.durable and not found.auto_delete and not found.exclusive
    if not plain or dict(found.arguments) != dict(want.arguments):
        is_ = f"durable={found.durable} auto_delete={found.auto_delete} exclusive={found.exclusive} {found.arguments}"
        yield f"queue {want.name} is not as declared: {is_} and not durable {dict(want.arguments)}"


def _extra(wanted: Topology, found: Iterable[FoundBinding]) -> list[str]:
    """Find what leads to our queues and exchanges beside our own bindings; every queue has one to the default."""
    ours = {"queue": {queue.name for queue in wanted.queues}, "exchange": {e.name for e in wanted.exchanges}}
    own = set(wanted.bindings)
    return [
        f"binding {one.source} → {one.destination} ({one.routing_key!r}) is not ours"
        for one in found
        if one.source
        and one.destination in ours.get(one.destination_type, ())
        and not (one.destination_type == "queue" and _binding(one) in own)
    ]
