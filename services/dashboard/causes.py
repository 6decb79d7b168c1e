"""What led to each event of an order: the event before it, and the reaction in between.

An answer from outside, a deadline and a customer's command are not logged themselves. What they led to names a cause
that is in no log: it is found through the intent that was answered. Intents of one order run in order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.dashboard.dance import Dance, Reaction
from services.dashboard.log import Happened


@dataclass(frozen=True, slots=True)
class Step:
    """An event, and what led to it."""

    event: Happened
    cause: Happened | None
    by: tuple[Reaction, ...]
    """The reactions that may have caused it: one, but where nothing logged tells two apart."""
    answered: str | None = None
    """The intent whose answer led to it."""
    intends: tuple[str, ...] = ()
    """What was recorded with it to be done outside."""

    @property
    def after(self) -> timedelta | None:
        """How long after its cause it was logged."""
        return self.event.at - self.cause.at if self.cause else None


@dataclass(frozen=True, slots=True)
class Meant:
    """An intent that nothing has ended yet, and the event that it was recorded with."""

    intent: str
    event: Happened


class Chain:
    """The events of an order in their order: a cause always before what it caused, and a log in its own order, whatever
    the clocks say."""

    def __init__(self, dance: Dance, log: Iterable[Happened]) -> None:
        self._dance = dance
        self._log = sorted(log, key=lambda event: (event.at, event.service, event.version))
        self._by_id = {event.event_id: event for event in self._log}
        self._at = {(event.service, event.version): event for event in self._log}
        self._begun: set[UUID] = set()
        self._told: dict[UUID, Step] = {}
        self.meant: list[Meant] = []
        """Intents that are to be carried out, the first first."""
        for event in self._log:
            self._tell(event)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All events."""
        return tuple(self._told.values())

    def _tell(self, event: Happened) -> None:
        if event.event_id in self._begun:
            return
        self._begun.add(event.event_id)
        cause = self._by_id.get(event.causation_id)
        for before in (self._at.get((event.service, event.version - 1)), cause):
            if before is not None:
                self._tell(before)
        step = self._step(event, cause)
        self._told[event.event_id] = step
        self._end(step)
        self.meant += [Meant(intent, event) for intent in step.intends]

    def _step(self, event: Happened, cause: Happened | None) -> Step:
        may = self._dance.who_may_cause(event.service, event.name)
        if cause is not None:
            by = tuple(each for each in may if each.event == cause.name)
            return Step(event, cause, by, intends=self._intends(by, event))
        by = tuple(each for each in may if not self._dance.events[each.event].public)
        if not any(self._dance.events[each.event].command for each in by):
            for meant in self.meant:
                if any(each.event in self._dance.intents[meant.intent].answered_by for each in by):
                    return Step(event, meant.event, by, meant.intent, self._intends(by, event))
        return Step(event, None, by, intends=self._intends(by, event))

    def _intends(self, by: Iterable[Reaction], event: Happened) -> tuple[str, ...]:
        names = (name for each in by for name in each.intends if (each.name, event.name, name) in self._dance.marks)
        return tuple(dict.fromkeys(names))

    def _end(self, step: Step) -> None:
        """Take away what an event answers or withdraws."""
        by = {each.name for each in step.by}
        answered = next((meant for meant in self.meant if meant.intent == step.answered), None)
        self.meant = [
            meant
            for meant in self.meant
            if meant is not answered and not by & set(self._dance.intents[meant.intent].withdrawn_by)
        ]
