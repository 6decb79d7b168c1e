"""The broker as a value: messages lie in queues, in no order that anybody may rely on."""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from asyncpg.pgproto import pgproto

from infra.topology import TABLES
from shared.ports import Message, NotConfirmedError
from shared.topology import dead_exchange, topology_of

TIERS_MS = (1_000, 10_000)
"""Two waits before an event is set aside: a third would make no other histories, only longer ones."""
TOPOLOGY = topology_of(TABLES, TIERS_MS)
LANES = {lane.queue: lane for lane in TOPOLOGY.lanes}
WAITS = {queue.name for queue in TOPOLOGY.queues if "x-message-ttl" in queue.arguments}
DEAD = {dead_exchange(table.service): table.service for table in TABLES}
BODIES_MAX = 10_000
DEATHS = "x-death"
"""Where the broker writes through which queues a message came."""


_SUBJECT = re.compile(rb'"subject":"([0-9a-f-]{36})"')
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')


@lru_cache(BODIES_MAX)
def orders_of(body: bytes) -> tuple[UUID, ...]:
    """Name the orders of the events in a message."""
    return _ids(_SUBJECT, body)


@lru_cache(BODIES_MAX)
def events_of(body: bytes) -> tuple[UUID, ...]:
    """Name the events in a message."""
    return _ids(_ID, body)


def _ids(pattern: re.Pattern[bytes], body: bytes) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(pgproto.UUID(found.decode()) for found in pattern.findall(body)))


class Parcel(NamedTuple):
    """A message in a queue. `target` is the lane that a message which waits will go to."""

    queue: str
    body: bytes
    message_id: str
    headers: tuple[tuple[str, str | int], ...] = ()
    redelivered: bool = False
    target: str = ""

    @property
    def service(self) -> str:
        """Whose queue it is."""
        return self.queue.partition(".")[0]


_ROUTES: Mapping[tuple[str, str], tuple[str, ...]] = {
    (exchange.name, key): tuple(
        binding.queue
        for binding in TOPOLOGY.bindings
        if binding.exchange == exchange.name and (binding.routing_key == key or exchange.type == "fanout")
    )
    for exchange in TOPOLOGY.exchanges
    for key in {binding.routing_key for binding in TOPOLOGY.bindings} | set(LANES)
}


def routed(message: Message, gone: Collection[str] = ()) -> list[Parcel]:
    """Give the parcels that a message becomes while some queues are gone.

    Raises:
        NotConfirmedError: no queue takes it.
    """
    queues = [each for each in _ROUTES.get((message.exchange, message.routing_key), ()) if each not in gone]
    if not queues:
        raise NotConfirmedError(f"no queue takes {message.routing_key}")
    headers = tuple(sorted(message.headers.items()))
    return [
        Parcel(queue, message.body, message.message_id, headers, target=message.routing_key if queue in WAITS else "")
        for queue in queues
    ]


def come_back(parcel: Parcel) -> list[Parcel]:
    """Give what a message that has waited becomes: one in its lane, or nothing if it says that it has waited before.

    RabbitMQ takes a message whose `x-death` was copied from an earlier one for one that goes round in circles.
    """
    if any(name == DEATHS for name, _ in parcel.headers):
        return []
    return [Parcel(parcel.target, parcel.body, parcel.message_id, (*parcel.headers, (DEATHS, parcel.queue)))]


def taken(parcels: Iterable[Parcel], gone: Parcel) -> tuple[Parcel, ...]:
    """Take one of them away."""
    rest = list(parcels)
    rest.remove(gone)
    return tuple(rest)
