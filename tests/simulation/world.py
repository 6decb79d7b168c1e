"""The world as a value: four schemas, queues, what is on its way to outside parties, and what processes remember."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from asyncpg.pgproto import pgproto

from infra.topology import TABLES
from services.order.events import PlacementRequested
from services.payment.events import ChargeResult
from shared.event import Event
from shared.ids import derived_id
from shared.ports import Claim, Posted
from tests.simulation.broker import Parcel
from tests.simulation.instants import Fault
from tests.simulation.process import Asking, Memory, Question
from tests.simulation.provider import Provider
from tests.simulation.tables import Tables

SERVICES = tuple(table.service for table in TABLES)


OTHER_LIFE = 1_001
"""The first life of the other replica: more than one ever has."""
AGAIN = 1 << 48
"""What the id of an order is larger by with each time that it is asked for: the end of it, its number, stays."""


class Command(NamedTuple):
    """What somebody asks of a service over HTTP, under an idempotency key that is its name.

    Nobody knows the ids of what was asked for but who has the answer: each request draws new ones.
    """

    name: str
    service: str
    event: Event
    event_id: UUID
    order_id: UUID
    customer_id: str
    after: str = ""
    """A command that is answered first."""
    asks: int = 1

    @property
    def is_placement(self) -> bool:
        """Whether it asks for an order, and not for something to be done to one."""
        return isinstance(self.event, PlacementRequested)

    def again(self) -> "Command":
        """Give it as it is asked once more."""
        made = self.about(UUID(int=self.order_id.int + AGAIN)) if self.is_placement else self
        return made._replace(event_id=derived_id(self.event_id, "again"), asks=self.asks + 1)

    def about(self, order_id: UUID) -> "Command":
        """Give it as it is asked for the order of that id."""
        same = pgproto.UUID(str(order_id))
        event = self.event.model_copy(update={"order_id": same})
        return self._replace(event=event, order_id=same, event_id=derived_id(same, self.name, str(self.event_id)))


class Action(NamedTuple):
    """One step that can be taken, with what goes wrong in it; `budget` names what a fault is paid from."""

    kind: str
    service: str
    what: Any = None
    fault: Fault | None = None
    budget: str = ""


Budgets: TypeAlias = Mapping[str, int]
"""How often each kind of misfortune may happen."""


class World(NamedTuple):
    """Everything there is at one moment. Nobody changes a mapping in place."""

    tables: Mapping[str, Tables]
    memories: Mapping[str, Memory]
    """Of the replica of each service whose turn it is."""
    others: Mapping[str, Memory]
    """Of another one, that shares its schema: alive, with all that it remembers and asks, and doing nothing."""
    parcels: tuple[Parcel, ...] = ()
    questions: tuple[Question, ...] = ()
    """On their way to an outside party."""
    answers: Mapping[tuple[str, Asking], Any] = MappingProxyType({})
    """On their way back."""
    provider: Provider = Provider()
    mails: tuple[tuple[UUID, str], ...] = ()
    commands: tuple[Command, ...] = ()
    """Not asked yet."""
    decisions: tuple[ChargeResult, ...] = (ChargeResult.CAPTURED, ChargeResult.CARD_DECLINED)
    """What the provider may decide."""
    mail_decisions: tuple[bool, ...] = (True,)
    """Whether the mail server takes a mail, or refuses it for good."""
    budgets: tuple[tuple[str, int], ...] = ()
    gone: frozenset[str] = frozenset()
    """Lanes whose queue is not there until the watch over the topology declares it."""
    lossy: frozenset[str] = frozenset()
    """Lanes whose queue was deleted with what lay in it, and that nobody has refilled yet."""
    deadly: str = ""
    """A lane whose events end every process that reacts to them, until that is mended."""

    generation: int = 0
    """Of the last refill."""
    endless: str = ""
    """A service whose step would never have ended."""

    @property
    def key(self) -> int:
        """A hash of all that decides what can happen next."""
        return hash(
            (
                *(tables.key for tables in self.tables.values()),
                *(memory.key for memory in self.memories.values()),
                *(memory.key for memory in self.others.values()),
                *sorted(map(hash, self.parcels)),
                *sorted(map(hash, self.questions)),
                frozenset(self.answers.items()),
                self.provider.key,
                *sorted(map(hash, self.mails)),
                tuple(command.event_id for command in self.commands),
                self.budgets,
                self.gone,
                self.lossy,
                self.deadly,
            )
        )

    def is_but_for_a_message(self, before: "World", service: str) -> bool:
        """Say whether all is as before, but that one message of a service is gone."""
        gone = len(before.parcels) + len(before.questions) - len(self.parcels) - len(self.questions)
        return (
            gone == 1
            and self.tables[service].key == before.tables[service].key
            and self.memories[service].key == before.memories[service].key
            and self.answers.keys() == before.answers.keys()
            and self.provider is before.provider
            and self.mails == before.mails
        )

    def asking(self, service: str) -> tuple[Claim, ...]:
        """Give the claims that replicas of a service work under."""
        return *self.memories[service].asking, *self.others[service].asking

    def confirmed(self, service: str) -> frozenset[Posted]:
        """Give the outbox rows that a replica knows to be confirmed."""
        return self.memories[service].confirmed | self.others[service].confirmed

    def spent(self, budget: str) -> "World":
        """Pay for a misfortune."""
        budgets = tuple((name, left - (name == budget)) for name, left in self.budgets)
        return self._replace(budgets=budgets)


def beginning(commands: tuple[Command, ...], tables: Mapping[str, Tables], budgets: Budgets, **more: Any) -> World:
    """Give the world before anything has happened."""
    return World(
        tables={service: tables.get(service, Tables()) for service in SERVICES},
        memories={service: Memory() for service in SERVICES},
        others={service: Memory(OTHER_LIFE) for service in SERVICES},
        commands=commands,
        budgets=tuple(sorted(budgets.items())),
        **more,
    )
