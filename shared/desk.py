"""The operator's desk: dead letters looked at, replayed to the lane that they came from, or dropped for good.

A replay may come twice and is never lost. The inbox forgets that the event is dead, a fresh message goes out, and
only once the broker has confirmed it the letter is deleted. Ended in between, the letter is still there, and a second
replay of it is dropped by the inbox.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.letters import BARE, BROKER, InboxSays, Kept, Letter, Selection
from shared.ports import Message, Publisher
from shared.reactions import Reactions
from shared.retries import LAST_FAILED_AT
from shared.store.actions import Act
from shared.store.dead_letters import DeadLetters
from shared.topology import lanes_of, return_exchange

ACT_MAX_LETTERS = 200
"""So many letters are replayed or dropped at once."""


class ForeignError(Exception):
    """None of the letters that were meant has a lane of this service to go back to."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A letter, what the inbox says about its event, what a replay would come to, and whether it is done with."""

    kept: Kept
    inbox: InboxSays
    replay: str
    done: bool = False


@dataclass(frozen=True, slots=True)
class Pile:
    """Some of the letters of a selection, and how many more of them there are behind these."""

    letters: Sequence[Examined]
    left: int
    foreign: int = 0
    """So many of the selection have no lane of this service to go back to; they are not among `letters`."""


class Desk:
    """Where one service's dead letters are dealt with."""

    def __init__(self, reactions: Reactions, letters: DeadLetters, publisher: Publisher) -> None:
        self._service = reactions.service
        self._lanes = tuple(lane.queue for lane in lanes_of(reactions))
        self._letters = letters
        self._publisher = publisher

    async def look(self, selection: Selection, after: int = 0, limit: int = ACT_MAX_LETTERS) -> Pile:
        """Look at letters and change nothing. Raises `WorldError`."""
        found = await self._letters.page(selection, after, limit)
        event_ids = [kept.letter.event_id for kept in found if kept.letter.event_id is not None]
        outcomes = await self._letters.outcomes(event_ids)
        letters = [self._examined(kept, outcomes.get(kept.letter.event_id)) for kept in found]
        return Pile(letters, await self._letters.left(selection, found[-1].position) if found else 0)

    async def replay(self, selection: Selection, about: str, *, dry_run: bool) -> Pile:
        """Send letters back to their lanes; those that the broker has not confirmed are not done, and stay.

        Raises:
            ForeignError: all that there are have lanes that are not of this service.
            WorldError: nothing is known to have been sent.
        """
        own = replace(selection, lanes=tuple(lane for lane in self._lanes if lane in (selection.lanes or self._lanes)))
        pile = await self.look(own)
        foreign = await self._letters.left(selection, 0) - len(pile.letters) - pile.left
        if foreign > 0 and not pile.letters:
            raise ForeignError(f"{foreign} found, and none has a lane of {self._service} to go back to.")
        if not dry_run and pile.letters:
            pile = replace(pile, letters=await self._send(pile.letters, about))
        return replace(pile, foreign=max(foreign, 0))

    async def drop(self, selection: Selection, why: str, about: str, *, dry_run: bool) -> Pile:
        """Delete letters, and have the inbox drop every later copy of their events. Raises `WorldError`."""
        pile = await self.look(selection)
        if dry_run or not pile.letters:
            return pile
        act = Act("drop", about, {"why": why, "letters": _ids(pile.letters)})
        await self._letters.drop([examined.kept for examined in pile.letters], why, act)
        return replace(pile, letters=[replace(examined, done=True) for examined in pile.letters])

    async def _send(self, letters: Sequence[Examined], about: str) -> list[Examined]:
        event_ids = [e.kept.letter.event_id for e in letters if e.kept.letter.event_id is not None]
        await self._letters.unbury(event_ids, Act("replay", about, {"letters": _ids(letters)}))
        answers = await self._publisher.publish([replayed(self._service, examined.kept.letter) for examined in letters])
        sent = [replace(e, done=error is None) for e, error in zip(letters, answers, strict=True)]
        await self._letters.replayed([examined.kept for examined in sent if examined.done])
        return sent

    def _examined(self, kept: Kept, outcome: InboxSays | None) -> Examined:
        inbox = outcome or "nothing"
        return Examined(kept, inbox, self._prospect(kept, inbox))

    def _prospect(self, kept: Kept, inbox: InboxSays) -> str:
        if kept.letter.lane not in self._lanes:
            return f"refused: no lane of {self._service}"
        if kept.letter.event_id is None:
            return "set aside again: cannot be read"
        return "reacted to anew" if inbox in ("nothing", "dead") else f"dropped: {inbox} already"


def replayed(service: str, letter: Letter) -> Message:
    """Make a fresh message: a header that is copied could make the broker drop it, and attempts start anew.

    It says only when the last attempt failed, if that was one of ours.
    """
    ours = letter.error_class not in (BROKER, BARE)
    headers = {LAST_FAILED_AT: letter.last_failed_at.isoformat()} if ours else {}
    return Message(return_exchange(service), letter.lane, letter.body, str(letter.letter_id), headers)


def _ids(letters: Sequence[Examined]) -> list[str]:
    return [str(examined.kept.letter.letter_id) for examined in letters]
