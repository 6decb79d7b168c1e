"""Dead letters over HTTP: list, show, replay, drop."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from shared.desk import ACT_MAX_LETTERS, Desk, Examined, ForeignError, Pile
from shared.http.no_card_number import NO_CARD_NUMBER
from shared.http.one_of import one_of
from shared.http.problems import ProblemError
from shared.letters import TEXT_MAX_CHARACTERS, InboxSays, Selection
from shared.masking import masked

POSITION_MAX = 2**63 - 1
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]+$", max_length=TEXT_MAX_CHARACTERS), NO_CARD_NUMBER]
"""What an operator writes here is recorded."""
Sought = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=TEXT_MAX_CHARACTERS)]
"""What letters are listed by: whatever a stranger wrote into them, which may be nothing, or no text for people."""


class LetterView(BaseModel):
    """A dead letter, what the inbox holds for its event, and what a replay would come to."""

    letter_id: UUID
    lane: str
    event_id: UUID | None
    type: str | None
    order_id: UUID | None
    error_class: str
    reason: str
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime
    drained_at: datetime
    inbox: InboxSays
    replay: str

    @classmethod
    def of(cls, examined: Examined) -> Self:
        """Show all but the body."""
        letter = examined.kept.letter
        return cls(
            letter_id=letter.letter_id,
            lane=letter.lane,
            event_id=letter.event_id,
            type=letter.type,
            order_id=letter.correlation_id,
            error_class=letter.error_class,
            reason=letter.reason,
            attempts=letter.attempts,
            first_failed_at=letter.first_failed_at,
            last_failed_at=letter.last_failed_at,
            drained_at=examined.kept.drained_at,
            inbox=examined.inbox,
            replay=examined.replay,
        )


class OpenedLetter(LetterView):
    """A dead letter with its body, in which what is personal or secret is masked."""

    body: str
    body_bytes: int


class LetterPage(BaseModel):
    """Letters in the order in which they came; `left` follow, and `next` continues the list as `after`."""

    letters: list[LetterView]
    left: int
    next: int | None


class Meant(BaseModel):
    """Which letters are meant: exactly one of `letters`, `error_class`, `lane` and `all`."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra=one_of(letters="array", error_class="string", lane="string", all=True)
    )

    letters: Annotated[list[UUID], Field(min_length=1, max_length=ACT_MAX_LETTERS)] | None = None
    error_class: Text | None = None
    lane: Text | None = None
    all: StrictBool = False
    dry_run: StrictBool = False

    @model_validator(mode="after")
    def _one_way_to_say_it(self) -> Self:
        if sum((self.letters is not None, self.error_class is not None, self.lane is not None, self.all)) != 1:
            raise PydanticCustomError("selection", "Exactly one of letters, error_class, lane and all is needed")
        return self

    @property
    def selection(self) -> Selection:
        """The letters that are meant."""
        return Selection(
            letter_ids=None if self.letters is None else tuple(self.letters),
            error_class=self.error_class,
            lanes=None if self.lane is None else (self.lane,),
        )

    @property
    def about(self) -> str:
        """How it was said, for the record."""
        by = {"error_class": self.error_class, "lane": self.lane}
        said = [f"{name} {value}" for name, value in by.items() if value is not None]
        return said[0] if said else "all" if self.all else f"{len(self.letters or ())} by id"


class Dropped(Meant):
    """Letters that are never to be reacted to, and why."""

    why: Text


class Treated(BaseModel):
    """What became, or in a dry run would become, of a letter."""

    letter_id: UUID
    lane: str
    inbox: InboxSays
    replay: str
    done: bool

    @classmethod
    def of(cls, examined: Examined) -> Self:
        """Show what was done."""
        letter = examined.kept.letter
        return cls(
            letter_id=letter.letter_id,
            lane=letter.lane,
            inbox=examined.inbox,
            replay=examined.replay,
            done=examined.done,
        )


class Treatment(BaseModel):
    """What became of letters; `left` of those meant are still to be asked for, `foreign` ones cannot be replayed."""

    letters: list[Treated]
    left: int
    foreign: int

    @classmethod
    def of(cls, pile: Pile) -> Self:
        """Show what was done."""
        return cls(letters=[Treated.of(examined) for examined in pile.letters], left=pile.left, foreign=pile.foreign)


def dead_letters_router(desk: Desk) -> APIRouter:
    """Serve one service's dead letters."""
    router = APIRouter(prefix="/dead-letters")

    @router.get("", summary="List dead letters, in the order in which they came")
    async def list_letters(
        lane: Sought | None = None,
        error_class: Sought | None = None,
        after: Annotated[int, Query(ge=0, le=POSITION_MAX)] = 0,
        limit: Annotated[int, Query(ge=1, le=ACT_MAX_LETTERS)] = 50,
    ) -> LetterPage:
        selection = Selection(error_class=error_class, lanes=None if lane is None else (lane,))
        pile = await desk.look(selection, after, limit)
        following = pile.letters[-1].kept.position if pile.left else None
        return LetterPage(letters=[LetterView.of(e) for e in pile.letters], left=pile.left, next=following)

    @router.get("/{letter_id}", summary="Open a dead letter; what is personal or secret in it is masked")
    async def show(letter_id: UUID) -> OpenedLetter:
        for examined in (await desk.look(Selection(letter_ids=(letter_id,)))).letters:
            letter = examined.kept.letter
            body = masked(letter.body, letter.lane.partition(".")[2])
            return OpenedLetter(**dict(LetterView.of(examined)), body=body, body_bytes=len(letter.body))
        raise ProblemError(404, "There is no such dead letter here.")

    @router.post("/replay", summary="Send dead letters back to the lanes that they came from")
    async def replay(meant: Meant) -> Treatment:
        """A letter that the broker has not confirmed is not `done`, and stays."""
        try:
            pile = await desk.replay(meant.selection, meant.about, dry_run=meant.dry_run)
        except ForeignError as error:
            raise ProblemError(409, str(error)) from error
        return Treatment.of(pile)

    @router.post("/drop", summary="Delete dead letters; later copies of their events are dropped")
    async def drop(meant: Dropped) -> Treatment:
        return Treatment.of(await desk.drop(meant.selection, meant.why, meant.about, dry_run=meant.dry_run))

    return router
