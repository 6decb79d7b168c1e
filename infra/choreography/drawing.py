"""What there is to see of a dance, as points and arrows: `mermaid` and `dot` say it in their own words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from infra.choreography.graph import Choreography, Reaction


class Shape(StrEnum):
    """What a point stands for."""

    COMMAND = "command"
    EVENT = "event"
    FINAL = "final"
    INTENT = "intent"
    REACTION = "reaction"


@dataclass(frozen=True, slots=True)
class Point:
    """An event, an intent or a reaction, by its name."""

    shape: Shape
    name: str
    label: str
    owner: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """From one point to another. `way_back`: it leads to a compensation, or comes of nothing else."""

    start: Point
    end: Point
    label: str
    way_back: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Points and the arrows between them, each once, in the order of the tables."""

    title: str
    owners: tuple[str, ...]
    points: tuple[Point, ...]
    arrows: tuple[Arrow, ...]


def whole(dance: Choreography) -> Drawing:
    """Draw the dance from event to event; the arrows are reactions. Notes that only accompany others are left out."""
    return _drawing(dance, "the whole dance", _from_event_to_event(dance))


def part(dance: Choreography, service: str) -> Drawing:
    """Draw one service: what it hears, what it does, what it says."""
    return _drawing(dance, service, _through_reactions(dance, service))


def _drawing(dance: Choreography, title: str, arrows: Iterable[Arrow]) -> Drawing:
    arrows = tuple(dict.fromkeys(arrows))
    points = dict.fromkeys(point for arrow in arrows for point in (arrow.start, arrow.end))
    return Drawing(title, dance.services, tuple(points), arrows)


def _from_event_to_event(dance: Choreography) -> Iterator[Arrow]:
    for reaction in dance.reactions:
        start = _event(dance, reaction.event)
        for end in _shown(dance, reaction):
            yield Arrow(start, end, reaction.function, _leads_back(dance, reaction.event, end.name))
    yield from _answers(dance, dance.intents)


def _shown(dance: Choreography, reaction: Reaction) -> Iterator[Point]:
    events = [event for event in reaction.causes if not dance.events[event].final]
    if not events and not reaction.intends:
        events = list(reaction.causes)
    yield from (_event(dance, event) for event in events)
    yield from (_intent(dance, intent) for intent in reaction.intends)


def _through_reactions(dance: Choreography, service: str) -> Iterator[Arrow]:
    for reaction in dance.reactions:
        if reaction.service != service:
            continue
        does = Point(Shape.REACTION, reaction.name, reaction.function, service)
        yield Arrow(_event(dance, reaction.event), does, "", _leads_back(dance, reaction.event, reaction.event))
        for event in reaction.causes:
            yield Arrow(does, _event(dance, event), "", _leads_back(dance, reaction.event, event))
        for intent in reaction.intends:
            yield Arrow(does, _intent(dance, intent), "", _leads_back(dance, reaction.event, intent))
        for intent in reaction.withdraws:
            yield Arrow(does, _intent(dance, intent), "withdraws", _leads_back(dance, reaction.event, intent))
    yield from _answers(dance, (name for name, intent in dance.intents.items() if intent.service == service))


def _answers(dance: Choreography, intents: Iterable[str]) -> Iterator[Arrow]:
    for name in intents:
        intent = dance.intents[name]
        for answer in intent.answered_by:
            back = bool(intent.undoes or intent.corrects)
            yield Arrow(_intent(dance, name), _event(dance, answer), "passes" if intent.timer else "answers", back)


def _leads_back(dance: Choreography, start: str, end: str) -> bool:
    forward = dance.all_that_may_follow(dance.commands, but_for=dance.triggers)
    return start not in forward or end in dance.triggers


def _event(dance: Choreography, name: str) -> Point:
    event = dance.events[name]
    shape = Shape.COMMAND if event.command else Shape.FINAL if event.final else Shape.EVENT
    return Point(shape, name, name, event.owner)


def _intent(dance: Choreography, name: str) -> Point:
    return Point(Shape.INTENT, name, dance.intents[name].kind, dance.intents[name].service)
