"""The choreography as the dashboard knows it: `choreography.json`, which `python -m infra.choreography` writes.

It is read as a document, because a service knows neither the others' code nor how all is run.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

WRITTEN = Path(__file__).with_name("choreography.json")


@dataclass(frozen=True, slots=True)
class Event:
    """A fact by its name; see the fields in `docs/choreography.md`."""

    name: str
    owner: str
    public: bool
    command: bool
    closes: str | None


@dataclass(frozen=True, slots=True)
class Reaction:
    """What a service does on an event, such as `inventory.reserve`."""

    name: str
    service: str
    event: str
    causes: tuple[str, ...]
    intends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Intent:
    """What a service wants done outside, such as `payment.charge`."""

    name: str
    service: str
    answered_by: tuple[str, ...]
    withdrawn_by: tuple[str, ...]
    timer: bool


@dataclass(frozen=True)
class Dance:
    """Who reacts to what, and what may come of it."""

    services: tuple[str, ...]
    events: Mapping[str, Event]
    reactions: tuple[Reaction, ...]
    intents: Mapping[str, Intent]
    lanes: tuple[tuple[str, str], ...]
    """Service and event of each queue."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Dance":
        """Read it from what `quartet graph --format json` writes."""
        events = [Event(e["name"], e["owner"], e["public"], e["command"], e["closes"]) for e in document["events"]]
        intents = [
            Intent(i["name"], i["service"], tuple(i["answered_by"]), tuple(i["withdrawn_by"]), i["timer"])
            for i in document["intents"]
        ]
        return cls(
            services=tuple(document["services"]),
            events={event.name: event for event in events},
            reactions=tuple(
                Reaction(r["name"], r["service"], r["event"], tuple(r["causes"]), tuple(r["intends"]))
                for r in document["reactions"]
            ),
            intents={intent.name: intent for intent in intents},
            lanes=tuple((lane["service"], lane["event"]) for lane in document["lanes"]),
        )

    def who_reacts(self, event: str) -> tuple[Reaction, ...]:
        """Give the reactions to an event."""
        return self._by_event.get(event, ())

    def who_may_cause(self, service: str, event: str) -> tuple[Reaction, ...]:
        """Give the reactions of a service that may cause an event."""
        return self._by_cause.get((service, event), ())

    def comes_of(self, reaction: Reaction) -> tuple[str, ...]:
        """Give the events that a reaction may cause, and those that may answer its intents."""
        answers = (answer for name in reaction.intends for answer in self.intents[name].answered_by)
        return tuple(dict.fromkeys((*reaction.causes, *answers)))

    def all_that_follows(self, events: Iterable[str]) -> frozenset[str]:
        """Give the events that may ever come of some, and those themselves."""
        found, ahead = set[str](), list(events)
        while ahead:
            if (event := ahead.pop()) not in found:
                found.add(event)
                ahead += [each for reaction in self.who_reacts(event) for each in self.comes_of(reaction)]
        return frozenset(found)

    def decides(self, by: Reaction | Intent) -> bool:
        """Tell whether a judge may yet log something because of a reaction or an intent: then its books stay open."""
        return by.name in self._deciding

    @cached_property
    def _deciding(self) -> frozenset[str]:
        leads_to = {each.name: self.comes_of(each) for each in self.reactions}
        leads_to |= {intent.name: intent.answered_by for intent in self.intents.values()}
        return frozenset(
            name
            for name, events in leads_to.items()
            if any(self.events[event].owner in self.judges for event in self.all_that_follows(events))
        )

    @cached_property
    def _by_event(self) -> Mapping[str, tuple[Reaction, ...]]:
        return {name: tuple(each for each in self.reactions if each.event == name) for name in self.events}

    @cached_property
    def _by_cause(self) -> Mapping[tuple[str, str], tuple[Reaction, ...]]:
        found: dict[tuple[str, str], tuple[Reaction, ...]] = {}
        for each in self.reactions:
            for event in each.causes:
                found[each.service, event] = (*found.get((each.service, event), ()), each)
        return found

    @cached_property
    def marks(self) -> frozenset[tuple[str, str, str]]:
        """Give what stands for an intent, which itself is in no log: an event that a reaction causes, and its intent.

        It is the event that every reaction with that intent may cause and no other reaction does, such as
        `payment.charge_intended`; or whatever a reaction causes that can only cause one.
        """
        found = set[tuple[str, str, str]]()
        for intent in self.intents:
            meaning = [each for each in self.reactions if intent in each.intends]
            for event in {name for each in meaning for name in each.causes}:
                causing = [each for each in self.reactions if event in each.causes]
                if all(each in meaning for each in causing) and all(each in causing for each in meaning):
                    found |= {(each.name, event, intent) for each in meaning}
            found |= {(each.name, each.causes[0], intent) for each in meaning if len(each.causes) == 1}
        return frozenset(found)

    @cached_property
    def triggers(self) -> frozenset[str]:
        """The events that others close: each begins a compensation."""
        return frozenset(event.closes for event in self.events.values() if event.closes)

    @cached_property
    def judges(self) -> frozenset[str]:
        """The services whose events are triggers: they say what becomes of an order."""
        return frozenset(self.events[name].owner for name in self.triggers)

    @cached_property
    def of_an_order(self) -> frozenset[str]:
        """The events that may come of a judge's commands: all else that is logged is about no order."""
        return self.all_that_follows(e.name for e in self.events.values() if e.command and e.owner in self.judges)


@cache
def dance() -> Dance:
    """Read the dance of this system."""
    return Dance.of(json.loads(WRITTEN.read_text()))
