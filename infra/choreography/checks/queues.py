"""The lanes that the dance needs, held against what is declared at the broker."""

from collections.abc import Iterator

from infra.choreography.graph import Choreography
from shared.topology import (
    DELAY_TIERS_MS,
    Binding,
    Topology,
    dead_exchange,
    delay_exchange,
    events_exchange,
    return_exchange,
)


def lanes(dance: Choreography) -> Iterator[str]:
    """A lane for each event of somebody else, everything that belongs to it, and no lane beyond those."""
    declared = {(lane.service, lane.event.kind.name): lane for lane in dance.topology.lanes}
    for lane in dance.lanes:
        service, event = lane
        if lane in declared:
            owner = dance.events[event].owner
            for missing in _missing(dance.topology, service, event, owner, declared[lane].queue):
                yield f"the lane {declared[lane].queue} has no {missing}"
        else:
            yield f"{service} reacts to {event}, and no lane brings it"
    for service, event in sorted(declared.keys() - set(dance.lanes)):
        yield f"there is a lane of {event} at {service}, which does not react to it"


def _missing(topology: Topology, service: str, event: str, owner: str, queue: str) -> Iterator[str]:
    """Name what a lane has not."""
    arguments = {each.name: each.arguments for each in topology.queues}
    back, dead = return_exchange(service), dead_exchange(service)
    if queue not in arguments:
        yield "queue"
        return
    if Binding(events_exchange(owner), queue, event) not in topology.bindings:
        yield f"binding to {events_exchange(owner)}"
    if Binding(back, queue, queue) not in topology.bindings:
        yield f"binding to {back}"
    if arguments[queue].get("x-dead-letter-exchange") != dead or not _is_kept(topology, dead):
        yield "dead letters"
    for tier_ms in DELAY_TIERS_MS:
        delay = delay_exchange(service, tier_ms)
        waits = arguments.get(delay, {})
        returns = waits.get("x-message-ttl") == tier_ms and waits.get("x-dead-letter-exchange") == back
        if not returns or not _is_kept(topology, delay):
            yield f"delay of {tier_ms:,} ms"


def _is_kept(topology: Topology, name: str) -> bool:
    """Say whether what an exchange gets lands in the queue of the same name."""
    exchanges = {each.name for each in topology.exchanges}
    queues = {each.name for each in topology.queues}
    return name in exchanges and name in queues and Binding(name, name, "") in topology.bindings
