"""What a reaction answers: the next state with what it causes, or the reason why nothing changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.event import Event

FOR_EVER = "for ever"
"""The bound of an intent that only an answer ends; between two asks lies the backoff of the intent workers."""


class Intent(BaseModel):
    """Something to do outside the transaction, recorded inside it: a charge, a mail, a deadline.

    At most one intent of a kind waits for each stream, and the intents of one stream are done in order.
    """

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)
    kind: ClassVar[str]
    answered_by: ClassVar[tuple[type[Event], ...]]
    """The events that an answer may be; the intent workers refuse any other."""
    bound: ClassVar[str]
    """The setting of its service that says how long it is asked again, or `FOR_EVER`."""
    undoes: ClassVar[tuple[type["Intent"], ...]]
    """What it takes back."""
    corrects: ClassVar[tuple[type["Intent"], ...]]
    """What it makes good as far as that can be, because nothing takes it back."""
    timer: ClassVar[bool]
    """It lets time pass, and changes nothing outside."""

    order_id: UUID
    after_s: float = 0.0
    """Seconds from the commit until it is due, by the database's clock."""

    def __init_subclass__(
        cls,
        *,
        kind: str,
        answered_by: tuple[type[Event], ...],
        bound: str,
        undoes: tuple[type["Intent"], ...] = (),
        corrects: tuple[type["Intent"], ...] = (),
        timer: bool = False,
    ) -> None:
        """Name the kind, and say what an intent of it means to the dance."""
        super().__init_subclass__()
        cls.kind, cls.answered_by, cls.bound = kind, answered_by, bound
        cls.undoes, cls.corrects, cls.timer = undoes, corrects, timer


C = TypeVar("C", bound=Event | Intent)


@dataclass(frozen=True, slots=True)
class Advanced(Generic[C]):
    """The state moves on: to `state`, logging `events`, intending `intents`, withdrawing those of a kind."""

    state: Any
    events: tuple[Event, ...]
    intents: tuple[Intent, ...]
    withdrawn: tuple[type[Intent], ...]


@dataclass(frozen=True, slots=True)
class Ignored:
    """The event changes nothing here, for a reason that a person can read."""

    reason: str


Outcome: TypeAlias = Advanced[C] | Ignored
"""`Outcome[OrderConfirmed | Deadline]`: ignored, or advanced causing some of these events and intents."""


class ImpossibleError(Exception):
    """No correct history leads to this event in this state: it is retried, then set aside for a person."""


def advance(state: Any, *consequences: C, withdraw: Iterable[type[Intent]] = ()) -> Advanced[C]:
    """Move on to `state`, because of what `consequences` say: at least one event, and any intents.

    Raises:
        ValueError: no event among the consequences; then the log could not tell how the state came about.
    """
    events: list[Event] = []
    intents: list[Intent] = []
    for consequence in consequences:
        # by its class: pydantic's own `isinstance` costs more than the rest of a reaction
        (events if Event in type(consequence).__mro__ else intents).append(consequence)  # type: ignore[arg-type]  # so
    if not events:
        raise ValueError("an advance logs at least one event")
    return Advanced(state, tuple(events), tuple(intents), tuple(withdraw))


def ignore(reason: str) -> Ignored:
    """Change nothing."""
    return Ignored(reason)
