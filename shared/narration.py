"""A line in the log for each event: what it was, which order it was about, what came of it, and how long that took."""

from collections.abc import Callable, Mapping

from loguru import logger

from shared.batch import Answered, Raised
from shared.envelope import Envelope
from shared.logs import Line, info_all
from shared.outcome import Advanced, Ignored
from shared.ports import Clock
from shared.shell import Committed

Names = Callable[[Envelope], Mapping[str, str]]
"""Gives what more there is to say of an event: the ids of its trace."""


class Narrator:
    """Tells of commits."""

    def __init__(self, clock: Clock, names: Names = lambda _: {}) -> None:
        self._clock = clock
        self._names = names

    def committed(self, committed: Committed) -> None:
        """Log a line for each event. What it took is what its batch took, from its first statement to the commit."""
        took_ms = round((self._clock.monotonic_s() - committed.began_s) * 1_000, 1)
        told: list[Line] = []
        for item, result in zip(committed.items, committed.results, strict=True):
            event_id, event, order_id = item.envelope[:3]
            outcome = result.outcome if isinstance(result, Answered) else result
            if isinstance(outcome, Advanced):
                text, word = f"{event.kind.type} → {', '.join([e.kind.name for e in outcome.events])}", "advanced"
            elif isinstance(outcome, Ignored):
                text, word = f"{event.kind.type} ignored: {outcome.reason}", "ignored"
            else:
                self._rest(item.envelope, outcome, took_ms)
                continue
            about = {"took_ms": took_ms, "order_id": order_id, "event_id": event_id, "outcome": word}
            told.append((text, {**about, **self._names(item.envelope)}))
        info_all(told)

    def _rest(self, envelope: Envelope, outcome: object, took_ms: float) -> None:
        order_id, event_id = str(envelope.correlation_id), str(envelope.event_id)
        trace = {name: it for name, it in self._names(envelope).items() if name == "trace_id"}  # it has no such span
        about = logger.bind(took_ms=took_ms, order_id=order_id, event_id=event_id, **trace)
        if isinstance(outcome, Raised):
            about.bind(outcome="raised").opt(exception=outcome.error).error("{} failed", envelope.type)
        else:
            about.bind(outcome="duplicate").debug("{} seen before", envelope.type)
