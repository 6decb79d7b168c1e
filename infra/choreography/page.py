"""What `docs/choreography.md` says that the code knows better: the pictures, the tables, and the checks."""

from collections.abc import Iterable, Iterator

from infra.choreography.checks import CHECKS
from infra.choreography.drawing import Drawing, part, whole
from infra.choreography.graph import Choreography, Event, Intent
from infra.choreography.mermaid import mermaid
from infra.documents import filled


def written(document: str, dance: Choreography) -> str:
    """Give the document with each picture and each table where it belongs."""
    blocks = {
        "the whole dance": _picture(whole(dance)),
        "the services": _services(dance),
        "the events": _events(dance),
        "the intents": _intents(dance),
        "the goods": _goods(dance),
        "the checks": _checks(),
    }
    marks = {name: (f"<!-- {name}: written by python -m infra.choreography -->\n", f"<!-- end of {name} -->\n")
             for name in blocks}  # fmt: skip
    return filled(document, {marks[name]: lines for name, lines in blocks.items()})


def _picture(drawing: Drawing) -> Iterator[str]:
    yield "```mermaid"
    yield mermaid(drawing).rstrip("\n")
    yield "```"


def _services(dance: Choreography) -> Iterator[str]:
    for service in dance.services:
        yield f"### {service}"
        yield ""
        yield f"[services/{service}/reactions.py](../services/{service}/reactions.py)"
        yield ""
        yield from _picture(part(dance, service))
        yield ""


def _events(dance: Choreography) -> Iterator[str]:
    yield "| event | owner | who reacts | what may follow |"
    yield "|---|---|---|---|"
    for event in dance.events.values():
        who = _code(reaction.name for reaction in dance.who_reacts(event.name)) or "nobody: it is final"
        yield f"| `{event.name}`{_marks(dance, event)} | {event.owner} | {who} | {_followers(dance, event)} |"


def _marks(dance: Choreography, event: Event) -> str:
    """Say what is special about an event."""
    marks = ["a command"] if event.command else []
    if intents := dance.what_it_answers(event.name):
        marks.append(f"answers {_code(intent.name for intent in intents)}")
    if event.closes:
        marks.append(f"closes `{event.closes}`")
    if not event.public:
        marks.append("private")
    return f" ({', '.join(marks)})" if marks else ""


def _followers(dance: Choreography, event: Event) -> str:
    """What is caused at once, and what answers an intent later."""
    caused = dict.fromkeys(caused for reaction in dance.who_reacts(event.name) for caused in reaction.causes)
    intends = dict.fromkeys(intent for reaction in dance.who_reacts(event.name) for intent in reaction.intends)
    asked = [f"by `{intent}`: {_code(dance.intents[intent].answered_by)}" for intent in intends]
    return "; ".join(filter(None, [_code(caused), *asked]))


def _intents(dance: Choreography) -> Iterator[str]:
    yield "| intent | service | answered by | asked again | withdrawn by | undone by |"
    yield "|---|---|---|---|---|---|"
    for intent in dance.intents.values():
        answers = _code(intent.answered_by)
        withdrawn = _code(reaction.function for reaction in dance.who_withdraws(intent.name)) or "nothing"
        yield (
            f"| `{intent.kind}` | {intent.service} | {answers} | {_bound(intent)} | {withdrawn}"
            f" | {_undone(dance, intent)} |"
        )


def _bound(intent: Intent) -> str:
    bound = f"`{intent.bound}`" if intent.has_bound else "until it is answered"
    return f"no, it waits: {bound}" if intent.timer else f"up to {bound}" if intent.has_bound else bound


def _undone(dance: Choreography, intent: Intent) -> str:
    if intent.timer:
        return "nothing: it lets time pass"
    if intent.undoes or intent.corrects:
        return "nothing: it is the way back"
    back = dance.what_takes_back(intent.name)
    return ", ".join(f"`{each.kind}`" + (", which corrects it" if each.corrects else "") for each in back)


def _goods(dance: Choreography) -> Iterator[str]:
    yield "| reaction | takes | undone by |"
    yield "|---|---|---|"
    for step in dance.reactions:
        if step.takes:
            back = _code(reaction.name for reaction in dance.reactions if step.name in reaction.undoes)
            yield f"| `{step.name}` | {step.takes} | {back} |"


def _checks() -> Iterator[str]:
    yield "| check | the promise |"
    yield "|---|---|"
    for check in CHECKS:
        yield f"| `{check.name}` | {check.promise} |"


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
