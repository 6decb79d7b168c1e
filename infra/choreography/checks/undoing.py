"""The way back: what is undone, by whom, and that whoever undoes something says so once.

These are checks of what is declared: an event in an annotation is one way to go on. That an outcome takes only one of
them is seen where the reactions are run.
"""

from collections.abc import Iterator

from infra.choreography.graph import Choreography, Reaction


def undone(dance: Choreography) -> Iterator[str]:
    """Each step forward has a step back, on a path that begins with a cancellation."""
    way_back = dance.all_that_may_follow(dance.triggers)
    back = [reaction for reaction in dance.reactions if reaction.event in way_back]
    given_back = {step for reaction in back for step in reaction.undoes}
    for reaction in dance.reactions:
        if reaction.takes and reaction.name not in given_back:
            yield f"{reaction.name} takes {reaction.takes}, and no cancellation leads to a reaction that undoes it"
    on_the_way = {intent for reaction in back for intent in reaction.intends}
    for intent in dance.intents.values():
        if intent.timer or intent.undoes or intent.corrects:
            continue
        if not any(undo.name in on_the_way for undo in dance.what_takes_back(intent.name)):
            yield f"{intent.name} changes the outside world, and no cancellation leads to an intent that undoes it"


def closed(dance: Choreography) -> Iterator[str]:
    """Whoever undoes something answers each trigger; and nobody says that it is closed without one."""
    for trigger in dance.triggers:
        way_back = dance.all_that_may_follow([trigger])
        for reaction in dance.reactions:
            for event in _closing(dance, trigger, reaction):
                if reaction.event not in way_back:
                    yield f"{reaction.name} may cause {event}, and no {trigger} leads to it"
                if twice := _closed_again(dance, trigger, event):
                    yield f"{trigger} is closed by {event}, and then again by {', '.join(twice)}"
        for reaction in dance.who_reacts(trigger):
            if reaction.undoes or any(dance.intents[intent].undoes for intent in reaction.intends):
                yield from _left_open(dance, trigger, reaction, {reaction})


def _left_open(dance: Choreography, trigger: str, reaction: Reaction, seen: set[Reaction]) -> Iterator[str]:
    """Follow a reaction, the answers to its intents, and the reactions to those, until a closing event."""
    if not reaction.intends:
        closing = _closing(dance, trigger, reaction)
        for event in reaction.causes:
            if event not in closing:
                yield f"{reaction.name} may answer {trigger} with {event}, which does not close it"
        if not reaction.causes:
            yield f"{reaction.name} does not answer {trigger}"
    for intent in reaction.intends:
        for answer in dance.intents[intent].answered_by:
            for following in dance.who_reacts(answer):
                if following not in seen:
                    seen.add(following)
                    yield from _left_open(dance, trigger, following, seen)


def _closing(dance: Choreography, trigger: str, reaction: Reaction) -> list[str]:
    return [event for event in reaction.causes if dance.events[event].closes == trigger]


def _closed_again(dance: Choreography, trigger: str, event: str) -> list[str]:
    owner = dance.events[event].owner
    after = dance.all_that_may_follow(dance.what_may_follow(event))
    return sorted(e for e in after if dance.events[e].closes == trigger and dance.events[e].owner == owner)
