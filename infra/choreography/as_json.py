"""The choreography as a document for programs. Fields may be added; what a field means changes with `VERSION` alone."""

import json
from typing import Any

from infra.choreography.graph import Choreography, Event, Intent, Reaction

VERSION = 1


def as_json(dance: Choreography) -> str:
    """Write the dance as JSON."""
    return json.dumps(document(dance), indent=2) + "\n"


def document(dance: Choreography) -> dict[str, Any]:
    """Give the dance as plain values: everything by its name, in the order of the tables."""
    return {
        "version": VERSION,
        "services": list(dance.services),
        "events": [_event(dance, event) for event in dance.events.values()],
        "reactions": [_reaction(reaction) for reaction in dance.reactions],
        "intents": [_intent(dance, intent) for intent in dance.intents.values()],
        "lanes": [
            {"queue": lane.queue, "service": lane.service, "event": lane.event.kind.name}
            for lane in dance.topology.lanes
        ],
    }


def _event(dance: Choreography, event: Event) -> dict[str, Any]:
    return {
        "name": event.name,
        "type": event.type,
        "owner": event.owner,
        "public": event.public,
        "command": event.command,
        "final": event.final,
        "closes": event.closes,
        "caused_by": [reaction.name for reaction in dance.who_causes(event.name)],
        "answers": [intent.name for intent in dance.what_it_answers(event.name)],
        "reactions": [reaction.name for reaction in dance.who_reacts(event.name)],
        "may_follow": list(dance.what_may_follow(event.name)),
    }


def _reaction(reaction: Reaction) -> dict[str, Any]:
    return {
        "name": reaction.name,
        "service": reaction.service,
        "event": reaction.event,
        "causes": list(reaction.causes),
        "intends": list(reaction.intends),
        "takes": reaction.takes,
        "undoes": list(reaction.undoes),
        "withdraws": list(reaction.withdraws),
    }


def _intent(dance: Choreography, intent: Intent) -> dict[str, Any]:
    return {
        "name": intent.name,
        "service": intent.service,
        "kind": intent.kind,
        "intended_by": [reaction.name for reaction in dance.who_intends(intent.name)],
        "withdrawn_by": [reaction.name for reaction in dance.who_withdraws(intent.name)],
        "answered_by": list(intent.answered_by),
        "bound": intent.bound if intent.has_bound else None,
        "timer": intent.timer,
        "undoes": list(intent.undoes),
        "corrects": list(intent.corrects),
    }
