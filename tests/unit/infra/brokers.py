"""What a broker would tell of a topology that is just as it should be."""

from infra.topology.drift import Found, FoundBinding, FoundExchange, FoundQueue, Part
from shared.topology import Binding, Exchange, Queue, Topology


def exchange(wanted: Exchange, **others: object) -> FoundExchange:
    """An exchange as it is wanted, but for `others`."""
    plain = {"durable": True, "auto_delete": False, "internal": False, "arguments": {}}
    return FoundExchange.model_validate({"name": wanted.name, "type": wanted.type, **plain, **others})


def queue(wanted: Queue, **others: object) -> FoundQueue:
    """A queue as it is wanted, empty, but for `others`."""
    plain = {"durable": True, "auto_delete": False, "exclusive": False, "messages": 0}
    return FoundQueue.model_validate({"name": wanted.name, "arguments": wanted.arguments, **plain, **others})


def binding(wanted: Binding, destination_type: str = "queue") -> FoundBinding:
    """A binding as it is wanted."""
    return FoundBinding(
        source=wanted.exchange,
        destination=wanted.queue,
        destination_type=destination_type,
        routing_key=wanted.routing_key,
    )


def just_as(wanted: Topology) -> Found:
    """Everything, with what every broker has on top: the default exchange, and each queue's binding to it."""
    return Found(
        [exchange(Exchange("", "direct")), exchange(Exchange("amq.topic", "topic")), *map(exchange, wanted.exchanges)],
        [queue(one) for one in wanted.queues],
        [binding(one) for one in (*(Binding("", q.name, q.name) for q in wanted.queues), *wanted.bindings)],
    )


def without(found: Found, *parts: Part) -> Found:
    """Take parts away; an exchange and a queue take their bindings along, as at a broker."""
    exchanges = {part.name for part in parts if isinstance(part, Exchange)}
    queues = {part.name for part in parts if isinstance(part, Queue)}
    bindings = [binding(part) for part in parts if isinstance(part, Binding)]
    return Found(
        [one for one in found.exchanges if one.name not in exchanges],
        [one for one in found.queues if one.name not in queues],
        [
            one
            for one in found.bindings
            if one.source not in exchanges and one.destination not in queues and one not in bindings
        ],
    )
