"""The broker's topology, derived from the reaction tables: said here once, declared before anything consumes.

Each service owns four kinds of exchange. `NAME.events` is where it publishes, one routing key for each event type.
`NAME.delay.Nms` leads to a queue whose messages wait N milliseconds and then come back through `NAME.return` to the
lane that the routing key names, as a replay does. `NAME.dead` keeps what was set aside. A lane, `NAME.EVENT`, is the
queue of one event type at one service. Apart from the dance, `NAME.news` tells passive listeners that there is
something new, each on its queue `LISTENER.news`. Sources: RabbitMQ guides on quorum queues, dead lettering,
time-to-live, and queue length limits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.event import Event
from shared.reactions import Reactions

DELAY_TIERS_MS = (1_000, 10_000, 60_000)
"""The waits before the second, third and fourth attempt; then the event is set aside."""
REDELIVERIES_MAX = 50
"""The broker's own limit, far above ours: it ends only what kills the process again and again; restarts count too."""
DEAD_REDELIVERIES_MAX = 1_000_000
"""Without a limit of its own a queue has 20 from RabbitMQ 4.0, and then it drops the letter."""
LISTENERS = ("dashboard",)
"""Who listens, and does nothing else."""
NEWS_MAX_MESSAGES = 100
"""So much waits for a listener that is away or slow, and then the oldest is dropped: who misses news reads the feeds a
little later all the same."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The queue of one event type at one service."""

    service: str
    event: type[Event]

    @property
    def queue(self) -> str:
        """Such as `payment.stock.reserved`."""
        return f"{self.service}.{self.event.kind.name}"

    @property
    def exchange(self) -> str:
        """The owner's exchange."""
        return f"{self.event.kind.owner}.events"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Binding:
    """From an exchange to a queue."""

    exchange: str
    queue: str
    routing_key: str


@dataclass(slots=True)
class Topology:
    """Everything that is declared, in the order in which it can be."""

    exchanges: list[Exchange] = field(default_factory=list)
    queues: list[Queue] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    """Which of the queues are lanes."""

    def __add__(self, other: "Topology") -> "Topology":
        """Put two together."""
        return Topology(
            self.exchanges + other.exchanges,
            self.queues + other.queues,
            self.bindings + other.bindings,
            self.lanes + other.lanes,
        )


def lanes_of(reactions: Reactions) -> tuple[Lane, ...]:
    """Give the lanes of one service."""
    return tuple(Lane(reactions.service, event) for event in reactions.consumed)


def events_exchange(service: str) -> str:
    """Name the exchange that `service` alone publishes to."""
    return f"{service}.events"


def delay_exchange(service: str, tier_ms: int) -> str:
    """Name the exchange, and the queue behind it, where retries of `service` wait."""
    return f"{service}.delay.{tier_ms}ms"


def dead_exchange(service: str) -> str:
    """Name the exchange, and the queue behind it, of what `service` set aside."""
    return f"{service}.dead"


def return_exchange(service: str) -> str:
    """Name the exchange through which what waited, or is replayed, comes back to one lane of `service`."""
    return f"{service}.return"


def news_exchange(service: str) -> str:
    """Name the exchange where `service` tells listeners that there is something new in its log."""
    return f"{service}.news"


def news_queue(listener: str) -> str:
    """Name the queue that `listener` hears news on."""
    return f"{listener}.news"


def listening_to(tables: Iterable[Reactions]) -> Topology:
    """Derive what passive listeners hear on: apart from the events, none of which counts as taken because of them."""
    topology = Topology()
    arguments = {"x-queue-type": "classic", "x-max-length": NEWS_MAX_MESSAGES, "x-overflow": "drop-head"}
    topology.queues += [Queue(news_queue(listener), arguments) for listener in LISTENERS]
    for table in tables:
        news = news_exchange(table.service)
        topology.exchanges.append(Exchange(news, "fanout"))
        topology.bindings += [Binding(news, queue.name, "") for queue in topology.queues]
    return topology


def topology_of(tables: Iterable[Reactions], delay_tiers_ms: Iterable[int] = DELAY_TIERS_MS) -> Topology:
    """Derive the topology of all services from their reaction tables."""
    topology = Topology()
    tables, tiers_ms = tuple(tables), tuple(delay_tiers_ms)
    topology.exchanges += [Exchange(events_exchange(table.service), "topic") for table in tables]
    for table in tables:
        _add_dead(topology, table.service)
        _add_lanes(topology, table)
        _add_delays(topology, table.service, tiers_ms)
    return topology


def _add_dead(topology: Topology, service: str) -> None:
    dead = dead_exchange(service)
    topology.exchanges.append(Exchange(dead, "fanout"))
    topology.queues.append(Queue(dead, {"x-queue-type": "quorum", "x-delivery-limit": DEAD_REDELIVERIES_MAX}))
    topology.bindings.append(Binding(dead, dead, ""))


def _add_lanes(topology: Topology, table: Reactions) -> None:
    back = return_exchange(table.service)
    topology.exchanges.append(Exchange(back, "direct"))
    for lane in lanes_of(table):
        arguments = _keeps_what_it_dead_letters(dead_exchange(table.service))
        topology.lanes.append(lane)
        topology.queues.append(Queue(lane.queue, {**arguments, "x-delivery-limit": REDELIVERIES_MAX}))
        topology.bindings.append(Binding(lane.exchange, lane.queue, lane.event.kind.name))
        topology.bindings.append(Binding(back, lane.queue, lane.queue))


def _add_delays(topology: Topology, service: str, tiers_ms: Iterable[int]) -> None:
    for tier_ms in tiers_ms:
        name = delay_exchange(service, tier_ms)
        topology.exchanges.append(Exchange(name, "fanout"))
        arguments = _keeps_what_it_dead_letters(return_exchange(service))
        topology.queues.append(Queue(name, {**arguments, "x-message-ttl": tier_ms}))
        topology.bindings.append(Binding(name, name, ""))


def _keeps_what_it_dead_letters(exchange: str) -> dict[str, Any]:
    """At-least-once dead lettering, which needs `reject-publish`: else it falls back to at-most-once in silence."""
    return {
        "x-queue-type": "quorum",
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
