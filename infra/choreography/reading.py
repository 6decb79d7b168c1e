"""Reads the choreography from what the services are made of: their tables, their performers, their settings."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar, cast

from infra.choreography import graph
from infra.topology import TABLES
from services.inventory import effects as inventory
from services.inventory.settings import InventorySettings
from services.notification import effects as notification
from services.notification.settings import NotificationSettings
from services.order import effects as order
from services.order.settings import OrderSettings
from services.payment import effects as payment
from services.payment.settings import PaymentSettings
from shared.event import VOCABULARY, Event
from shared.intents import Performer
from shared.outcome import Intent
from shared.reactions import Reaction, Reactions
from shared.settings import Settings
from shared.topology import topology_of

NOWHERE: Mapping[str, Any] = {"provider_url": "http://nowhere.invalid", "smtp_url": "smtp://nowhere.invalid:25"}
"""Performers are made to see which intents they carry out. None is ever asked to."""
S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Player:
    """What one service brings to the dance."""

    table: Reactions
    performs: frozenset[type[Intent]]
    settings: frozenset[str]

    @property
    def intents(self) -> tuple[type[Intent], ...]:
        """All that it intends or carries out."""
        intended = {intent for row in self.table for intent in row.intends}
        return tuple(sorted(intended | self.performs, key=lambda intent: intent.kind))


@cache
def choreography() -> graph.Choreography:
    """Read the dance of the four services."""
    tables = {table.service: table for table in TABLES}
    players = (
        _player(tables["order"], OrderSettings, order.performers),
        _player(tables["inventory"], InventorySettings, inventory.performers),
        _player(tables["payment"], PaymentSettings, payment.performers),
        _player(tables["notification"], NotificationSettings, notification.performers),
    )
    return choreography_of(players, VOCABULARY.values())


def choreography_of(players: Iterable[Player], vocabulary: Iterable[type[Event]]) -> graph.Choreography:
    """Put the dance of some services together; of the vocabulary, what is theirs.

    Raises:
        ValueError: two events, or two intents of a service, have one name.
    """
    players = tuple(players)
    services = tuple(player.table.service for player in players)
    danced = [event for player in players for event in _danced(player)]
    theirs = [event for event in vocabulary if event.kind.owner in services]
    order = {service: number for number, service in enumerate(services)}
    events = sorted(dict.fromkeys([*danced, *theirs]), key=lambda event: order.get(event.kind.owner, len(order)))
    intents = [_intent(player, intent) for player in players for intent in player.intents]
    return graph.Choreography(
        services=services,
        events=_by_name((event.kind.name, _event(event)) for event in events),
        reactions=tuple(_reaction(player.table, row) for player in players for row in player.table),
        intents=_by_name((intent.name, intent) for intent in intents),
        settings={player.table.service: player.settings for player in players},
        topology=topology_of(player.table for player in players),
    )


def _player(table: Reactions, settings: type[S], performers: Callable[[S], Mapping[type[Intent], Performer]]) -> Player:
    performs = performers(cast("S", settings.model_construct(None, **NOWHERE)))
    return Player(table, frozenset(performs), frozenset(settings.model_fields))


def _danced(player: Player) -> Iterable[type[Event]]:
    for row in player.table:
        yield row.event
        yield from _sorted(row.causes)
    for intent in player.intents:
        yield from intent.answered_by


def _sorted(events: Iterable[type[Event]]) -> list[type[Event]]:
    return sorted(events, key=lambda event: event.kind.name)


def _event(event: type[Event]) -> graph.Event:
    kind = event.kind
    closes = kind.closes.kind.name if kind.closes else None
    return graph.Event(kind.name, kind.type, kind.owner, kind.public, kind.command, kind.final, closes)


def _reaction(table: Reactions, row: Reaction) -> graph.Reaction:
    return graph.Reaction(
        table.service,
        row.event.kind.name,
        row.function.__name__,
        causes=tuple(event.kind.name for event in _sorted(row.causes)),
        intends=tuple(sorted(f"{table.service}.{intent.kind}" for intent in row.intends)),
        takes=row.takes,
        undoes=tuple(f"{table.service}.{step.__name__}" for step in row.undoes),
        withdraws=tuple(f"{table.service}.{intent.kind}" for intent in row.withdraws),
    )


def _intent(player: Player, intent: type[Intent]) -> graph.Intent:
    service = player.table.service
    return graph.Intent(
        service,
        intent.kind,
        answered_by=tuple(event.kind.name for event in intent.answered_by),
        bound=intent.bound,
        undoes=tuple(f"{service}.{other.kind}" for other in intent.undoes),
        corrects=tuple(f"{service}.{other.kind}" for other in intent.corrects),
        timer=intent.timer,
        performed=intent in player.performs,
    )


V = TypeVar("V")


def _by_name(named: Iterable[tuple[str, V]]) -> dict[str, V]:
    found: dict[str, V] = {}
    for name, each in named:
        if name in found:
            raise ValueError(f"two are called {name}")
        found[name] = each
    return found
