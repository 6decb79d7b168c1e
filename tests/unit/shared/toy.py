"""A service to test the kit with: a score that is played cue by cue.

Its events stay out of the vocabulary, which belongs to the four real services.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal
from uuid import UUID

from shared.batch import Item
from shared.envelope import Envelope
from shared.event import Event, Kind
from shared.ids import derived_id, new_id
from shared.outcome import FOR_EVER, Advanced, Ignored, Intent, Outcome, advance, ignore
from shared.ports import Answer, Request
from shared.reactions import Reactions

Does = Literal["play", "note", "both", "poison", "promise", "promise_later", "withdraw", "rest", "break"]


class Cue(Event):
    """Do something."""

    kind: ClassVar[Kind] = Kind("toy.cue", 1, "toy", public=False, command=True)

    order_id: UUID
    does: Does = "play"


class Played(Event):
    """Everybody hears it."""

    kind: ClassVar[Kind] = Kind("toy.played", 1, "toy", public=True)

    order_id: UUID
    nth: int
    poison: bool = False
    """The fake store refuses such an event, as a constraint would."""


class Noted(Event):
    """Nobody else hears it."""

    kind: ClassVar[Kind] = Kind("toy.noted", 1, "toy", public=False)

    order_id: UUID


class Encored(Event):
    """The answer to an encore."""

    kind: ClassVar[Kind] = Kind("toy.encored", 1, "toy", public=False)

    order_id: UUID
    breaks: bool = False
    tunes: bool = False


class Encore(Intent, kind="encore", answered_by=(Encored,), bound=FOR_EVER):
    """Play again, outside."""


class Tune(Intent, kind="tune", answered_by=(Encored,), bound=FOR_EVER):
    """Tune, outside."""


@dataclass(frozen=True, slots=True)
class Score:
    """What was played so far."""

    order_id: UUID
    plays: int = 0


toy = Reactions("toy")


@toy.on(Cue, withdraws=(Encore,))
def follow(cue: Cue, score: Score | None) -> Outcome[Played | Noted | Encore]:
    """Do as the cue says."""
    before = score or Score(cue.order_id)
    after, noted = replace(before, plays=before.plays + 1), Noted(order_id=cue.order_id)
    played = Played(order_id=cue.order_id, nth=after.plays, poison=cue.does == "poison")
    match cue.does:
        case "play" | "poison":
            return advance(after, played)
        case "note":
            return advance(after, noted)
        case "both":
            return advance(after, noted, played)
        case "promise":
            return advance(after, noted, Encore(order_id=cue.order_id))
        case "promise_later":
            return advance(after, noted, Encore(order_id=cue.order_id, after_s=60))
        case "withdraw":
            return advance(after, noted, withdraw=(Encore,))
        case "rest":
            return ignore("a rest")
        case "break":
            raise ValueError("a string broke")


@toy.on(Encored)
def take_note(encored: Encored, score: Score | None) -> Outcome[Noted | Tune]:
    """React to an answer."""
    if encored.breaks:
        raise ValueError("a string broke")
    state, noted = score or Score(encored.order_id), Noted(order_id=encored.order_id)
    return advance(state, noted, Tune(order_id=encored.order_id)) if encored.tunes else advance(state, noted)


def order(number: int = 1) -> UUID:
    """Give the id of an order."""
    return derived_id(UUID(int=0), "order", str(number))


def cue(does: Does = "play", about: int = 1) -> Item:
    """Give an event of its own id."""
    return Item(Envelope(new_id(), Cue(order_id=order(about), does=does), order(about)))


def cues(*does: Does) -> tuple[Item, ...]:
    """Give events about one order."""
    return tuple(map(cue, does))


def command(does: Does = "play", key: str = "key", body_hash: str = "hash") -> Item:
    """Give a command, answered with how much was played by then."""

    def answer(outcome: Advanced[Any] | Ignored, score: Score | None) -> Answer:
        return Answer(200, {"plays": score.plays if score else 0})

    envelope = Envelope(new_id(), Cue(order_id=order(), does=does), order())
    return Item(envelope, Request("anna", "POST /toy", key, body_hash), answer)


def encored(completes: UUID, *, breaks: bool = False) -> Item:
    """Give the answer to an intent."""
    return Item(Envelope(new_id(), Encored(order_id=order(), breaks=breaks), order()), completes=completes)
