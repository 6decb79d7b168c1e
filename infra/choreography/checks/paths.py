"""The paths of the dance: where an event comes from, who hears it, and how it ends."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from infra.choreography.graph import Choreography


def owned(dance: Choreography) -> Iterator[str]:
    """An owner that dances, and causers that are the owner."""
    for event in dance.events.values():
        if event.owner not in dance.services:
            yield f"{event.name} belongs to {event.owner}, which is no service"
        for reaction in dance.who_causes(event.name):
            if reaction.service != event.owner:
                yield f"{reaction.name} causes {event.name}, which belongs to {event.owner}"


def caused(dance: Choreography) -> Iterator[str]:
    """Something leads to each event; and what is asked for from outside is caused by nobody inside."""
    for event in dance.events.values():
        causes = dance.who_causes(event.name)
        if not (event.command or causes or dance.what_it_answers(event.name)):
            yield f"nothing leads to {event.name}: no reaction causes it, and it is neither a command nor an answer"
        for reaction in causes if event.command else ():
            yield f"{event.name} is a command, and {reaction.name} causes it"


def heard(dance: Choreography) -> Iterator[str]:
    """Somebody reacts, or nobody on purpose."""
    for event in dance.events.values():
        reactions = dance.who_reacts(event.name)
        if not reactions and not event.final:
            yield f"nobody reacts to {event.name}, and it is not final"
        for reaction in reactions if event.final else ():
            yield f"{event.name} is final, and {reaction.name} reacts to it"


def reachable(dance: Choreography) -> Iterator[str]:
    """Others are heard through a lane, which is for public events; a service hears itself through nothing."""
    for reaction in dance.reactions:
        event = dance.events[reaction.event]
        if event.owner != reaction.service:
            if not event.public:
                yield f"{reaction.name} reacts to {event.name}, which is private to {event.owner}"
        elif not event.command and not any(i.service == event.owner for i in dance.what_it_answers(event.name)):
            yield f"{reaction.name} reacts to {event.name} of its own service, which nothing brings back to it"


def no_circle(dance: Choreography) -> Iterator[str]:
    """What comes of an event never comes before it."""
    try:
        TopologicalSorter({event: dance.what_may_follow(event) for event in dance.events}).prepare()
    except CycleError as error:
        yield f"an event leads back to itself: {' → '.join(reversed(error.args[1]))}"


def ends(dance: Choreography) -> Iterator[str]:
    """With no circle and nobody deaf, a path can only stop short where a reaction comes to nothing."""
    for reaction in dance.reactions:
        if not reaction.causes:
            yield f"{reaction.name} comes to nothing: it causes no event"
