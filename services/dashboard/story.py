"""An order's story: how it stands, and what must happen next, by whom, and since when that is awaited.

It is derived from what was logged and from the choreography. A reaction is waited for when its event is logged, its
service has logged nothing that this event caused, and that service's inbox does not say that the event was ignored.
"""

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.dashboard.causes import Chain, Step
from services.dashboard.dance import Dance
from services.dashboard.log import Asked, Happened, Verdict

OVER = frozenset({"ignored", "dropped"})
"""What an inbox says of an event from which nothing will come."""


class Status(StrEnum):
    """How an order stands. Whether it is stuck is a matter of the clock: see `Wait.since`."""

    RUNNING = "running"
    COMPLETED = "completed"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"


class Kind(StrEnum):
    """What is waited for."""

    REACTION = "reaction"
    LETTER = "dead letter"
    """A reaction that failed until its event was set aside: a person replays or drops it."""
    INTENT = "intent"
    TIMER = "timer"
    """Nothing is late while it runs."""
    UNREAD = "unread"
    """A reaction that has happened, of which the log that was read does not tell yet: nobody is late but who reads."""


PUNCTUAL = frozenset({Kind.TIMER, Kind.UNREAD})
"""What is never late."""
OF_OUTCOMES = {"dead": Kind.LETTER, "advanced": Kind.UNREAD}
"""What is waited for where an inbox says something else than that it is over."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Something that must happen next."""

    kind: Kind
    name: str
    """Of the reaction, such as `payment.learn_stock`, or of the intent, such as `payment.charge`."""
    service: str
    on: Happened
    """The event that it follows."""
    decides: bool
    """The order's books stay open until it has happened."""
    why: str | None = None

    @property
    def since(self) -> datetime:
        """When it could have begun."""
        return self.on.at

    @property
    def can_be_late(self) -> bool:
        """Say whether anybody is late where this takes long."""
        return self.kind not in PUNCTUAL


@dataclass(frozen=True, slots=True)
class Story:
    """All that there is to say of an order."""

    status: Status
    settled: bool
    steps: tuple[Step, ...]
    waits: tuple[Wait, ...]
    """What keeps the books open first, then what is awaited longest; what is never late last."""

    @property
    def waits_for(self) -> Wait | None:
        """What the order waits for most of all."""
        return self.waits[0] if self.waits else None

    @property
    def placed(self) -> Happened | None:
        """What it began with."""
        return self.steps[0].event if self.steps else None

    @property
    def last(self) -> Happened | None:
        """The newest event."""
        return max((step.event for step in self.steps), key=lambda event: event.at, default=None)


def tell(
    dance: Dance,
    log: Iterable[Happened],
    verdicts: Mapping[Asked, Verdict] | None = None,
    forgotten: datetime | None = None,
) -> Story:
    """Tell the story of the order whose events these are.

    What happened before `forgotten` no inbox knows any more: nobody could say that it was ignored, so no reaction to
    it is waited for. What an inbox did say stands: that it was set aside, until a person acts.
    """
    chain = Chain(dance, log)
    reactions = _reactions(dance, chain.steps, verdicts or {})
    known = (wait for wait in reactions if wait.kind is not Kind.REACTION or not forgotten or wait.since > forgotten)
    waits = sorted(
        (*known, *_intents(dance, chain)),
        key=lambda wait: (not wait.can_be_late, not wait.decides, wait.since, wait.name),
    )
    names = {step.event.name for step in chain.steps}
    began = any(step.event.service in dance.judges for step in chain.steps)
    settled = began and not any(wait.decides for wait in waits)
    return Story(_status(dance, names, settled), settled, chain.steps, tuple(waits))


def _status(dance: Dance, names: Set[str], settled: bool) -> Status:
    if names & dance.triggers:
        return Status.COMPENSATED if settled else Status.COMPENSATING
    return Status.COMPLETED if settled else Status.RUNNING


def _reactions(dance: Dance, steps: Iterable[Step], verdicts: Mapping[Asked, Verdict]) -> Iterator[Wait]:
    done = {(step.event.service, step.event.causation_id) for step in steps}
    for step in steps:
        event = step.event
        for reaction in dance.who_reacts(event.name):
            verdict = verdicts.get(Asked(reaction.service, event.event_id))
            if (reaction.service, event.event_id) in done or (verdict and verdict.outcome in OVER):
                continue
            why = verdict.why if verdict else None
            kind = OF_OUTCOMES.get(verdict.outcome, Kind.REACTION) if verdict else Kind.REACTION
            yield Wait(kind, reaction.name, reaction.service, event, dance.decides(reaction), why)


def _intents(dance: Dance, chain: Chain) -> Iterator[Wait]:
    for meant in chain.meant:
        intent = dance.intents[meant.intent]
        kind = Kind.TIMER if intent.timer else Kind.INTENT
        yield Wait(kind, intent.name, intent.service, meant.event, dance.decides(intent))
