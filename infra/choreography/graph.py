"""The dance as a graph of names: which event leads to which, through whose reaction and through whose intent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.outcome import FOR_EVER
from shared.topology import Topology


@dataclass(frozen=True, slots=True)
class Event:
    """A fact, by its name. What the marks mean is said at `shared.event.Kind`."""

    name: str
    type: str
    owner: str
    public: bool = True
    command: bool = False
    final: bool = False
    closes: str | None = None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a service does on an event: the events it may cause, the intents it may have, by their names."""

    service: str
    event: str
    function: str
    causes: tuple[str, ...] = ()
    intends: tuple[str, ...] = ()
    takes: str | None = None
    undoes: tuple[str, ...] = ()
    """The names of reactions."""
    withdraws: tuple[str, ...] = ()
    """The names of intents."""

    @property
    def name(self) -> str:
        """Such as `inventory.reserve`."""
        return f"{self.service}.{self.function}"


@dataclass(frozen=True, slots=True)
class Intent:
    """What a service wants done outside. What the marks mean is said at `shared.outcome.Intent`."""

    service: str
    kind: str
    answered_by: tuple[str, ...]
    bound: str
    undoes: tuple[str, ...] = ()
    corrects: tuple[str, ...] = ()
    timer: bool = False
    performed: bool = True
    """Its service carries it out."""

    @property
    def name(self) -> str:
        """Such as `payment.charge`."""
        return f"{self.service}.{self.kind}"

    @property
    def has_bound(self) -> bool:
        """It is not asked again for ever."""
        return self.bound != FOR_EVER


@dataclass(frozen=True, slots=True)
class Choreography:
    """The whole dance. Everything is in the order in which a reader of the code meets it."""

    services: tuple[str, ...]
    events: Mapping[str, Event]
    reactions: tuple[Reaction, ...]
    intents: Mapping[str, Intent]
    settings: Mapping[str, frozenset[str]]
    """The settings of each service, by name: where the bounds of its intents are."""
    topology: Topology
    """What is declared at the broker."""

    def who_reacts(self, event: str) -> tuple[Reaction, ...]:
        """Give the reactions to an event."""
        return tuple(reaction for reaction in self.reactions if reaction.event == event)

    def who_causes(self, event: str) -> tuple[Reaction, ...]:
        """Give the reactions that may cause an event."""
        return tuple(reaction for reaction in self.reactions if event in reaction.causes)

    def who_intends(self, intent: str) -> tuple[Reaction, ...]:
        """Give the reactions that may have an intent."""
        return tuple(reaction for reaction in self.reactions if intent in reaction.intends)

    def who_withdraws(self, intent: str) -> tuple[Reaction, ...]:
        """Give the reactions that may end an intent before it is carried out."""
        return tuple(reaction for reaction in self.reactions if intent in reaction.withdraws)

    def what_it_answers(self, event: str) -> tuple[Intent, ...]:
        """Give the intents that an event may be the answer to."""
        return tuple(intent for intent in self.intents.values() if event in intent.answered_by)

    def what_takes_back(self, intent: str) -> tuple[Intent, ...]:
        """Give the intents that undo or correct another."""
        return tuple(each for each in self.intents.values() if intent in (*each.undoes, *each.corrects))

    def what_comes_of(self, reaction: Reaction) -> tuple[str, ...]:
        """Give the events that a reaction may cause, and those that may answer its intents."""
        answers = (answer for intent in reaction.intends for answer in self.intents[intent].answered_by)
        return tuple(dict.fromkeys((*reaction.causes, *answers)))

    def what_may_follow(self, event: str) -> tuple[str, ...]:
        """Give the events that may come next because of one, in any service."""
        found = (each for reaction in self.who_reacts(event) for each in self.what_comes_of(reaction))
        return tuple(dict.fromkeys(found))

    def all_that_may_follow(self, events: Iterable[str], but_for: Iterable[str] = ()) -> frozenset[str]:
        """Give the events that may ever come because of some, and those themselves; none by way of `but_for`."""
        found: set[str] = set()
        not_by = set(but_for)
        ahead = list(events)
        while ahead:
            if (event := ahead.pop()) not in found | not_by:
                found.add(event)
                ahead += self.what_may_follow(event)
        return frozenset(found)

    @property
    def commands(self) -> tuple[str, ...]:
        """The events that somebody outside asks for: everything begins with one."""
        return tuple(event.name for event in self.events.values() if event.command)

    @property
    def triggers(self) -> tuple[str, ...]:
        """The events that others close: each begins a compensation."""
        return tuple(dict.fromkeys(event.closes for event in self.events.values() if event.closes))

    @property
    def lanes(self) -> tuple[tuple[str, str], ...]:
        """Service and event of each lane that the reactions need: one for every public event of somebody else."""
        return tuple(
            (reaction.service, reaction.event)
            for reaction in self.reactions
            if (event := self.events[reaction.event]).public and event.owner != reaction.service
        )
