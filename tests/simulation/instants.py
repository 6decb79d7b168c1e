"""Where in the course of a step something may go wrong, and what."""

from enum import StrEnum
from typing import NamedTuple


class Instant(StrEnum):
    """A moment at one of the doors between a process and the world."""

    BEGIN = "it begins a transaction"
    COMMIT = "it commits"
    COMMITTED = "it has committed"
    ACK = "it acks the message"
    PUBLISH = "it publishes"
    PUBLISHED = "the broker has what it published"
    SET_BACK = "it sends the failed event to wait"
    IS_SET_BACK = "the broker has the copy that waits"
    DELETE = "it deletes what is confirmed"
    RESCHEDULE = "it gives the intent back"
    KEEP = "it keeps the letter"
    ANSWER = "it answers the customer"


class Effect(StrEnum):
    """What goes wrong then."""

    CRASH = "and the process dies there"
    HANG = "which does not get through, and the process dies soon after"
    FAIL = "and gets no answer"
    PART = "of which only the first gets through"


class Fault(NamedTuple):
    """One thing that goes wrong in one step."""

    at: Instant
    effect: Effect

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.at}, {self.effect}"
