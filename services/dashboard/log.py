"""What is known of an order: the events that the services logged, and what their inboxes say of the others."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as a service's feed tells it; what is personal or secret in its data is masked there."""

    event_id: UUID
    order_id: UUID
    service: str
    name: str
    type: str
    version: int
    causation_id: UUID
    at: datetime
    public: bool = True
    data: Any = None
    traceparent: str | None = None
    attempts: int = 1
    """At which attempt it came about."""


class Asked(NamedTuple):
    """Whose inbox, and the event that it was asked about."""

    service: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an inbox says became of an event there: `advanced`, `ignored`, `dead` or `dropped`.

    One that failed and is tried again is `retried`: it is still waited for, and `why` says how it failed.
    """

    outcome: str
    why: str | None = None
    at: datetime | None = None
