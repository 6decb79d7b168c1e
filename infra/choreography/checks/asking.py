"""What is asked of the outside world: who asks, what answers, and for how long."""

from collections.abc import Iterator

from infra.choreography.graph import Choreography, Intent


def carried_out(dance: Choreography) -> Iterator[str]:
    """Somebody has it, somebody carries it out, and the same service reacts to what comes back."""
    for reaction in dance.reactions:
        for name in reaction.withdraws:
            if not dance.who_intends(name):
                yield f"{reaction.name} withdraws {name}, which nobody intends"
    for intent in dance.intents.values():
        if not dance.who_intends(intent.name):
            yield f"nobody intends {intent.name}, which {intent.service} would carry out"
        if not intent.performed:
            yield f"nobody carries out {intent.name}"
        if not intent.answered_by:
            yield f"nothing answers {intent.name}"
        yield from _unheard(dance, intent)


def _unheard(dance: Choreography, intent: Intent) -> Iterator[str]:
    for answer in intent.answered_by:
        if (owner := dance.events[answer].owner) != intent.service:
            yield f"{intent.name} is answered by {answer}, which belongs to {owner}"
        if not any(reaction.service == intent.service for reaction in dance.who_reacts(answer)):
            yield f"{intent.name} is answered by {answer}, and {intent.service} does not react to it"


def bounded(dance: Choreography) -> Iterator[str]:
    """The bound has a name that is a setting of the service, or is none on purpose."""
    for intent in dance.intents.values():
        if intent.has_bound and intent.bound not in dance.settings[intent.service]:
            yield f"the bound of {intent.name}, {intent.bound!r}, is no setting of {intent.service}"
