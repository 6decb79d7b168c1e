"""What a service does for its traces: nothing, unless somebody records them."""

from collections.abc import Mapping

from shared.batch import Item
from shared.envelope import Envelope
from shared.intents import Performer
from shared.ports import Clock, Publisher
from shared.reactions import Reactions
from shared.retries import Failure
from shared.shell import Committed
from shared.tracing.context import reaction_to
from shared.tracing.performing import PerformanceSpans
from shared.tracing.publishing import ToldPublisher
from shared.tracing.reacting import ReactionSpans
from shared.tracing.spans import Recorder


class Untraced:
    """Nobody records: what came is passed on as it is, and everybody does their work themselves."""

    def follow(self, cause: Envelope) -> str | None:
        """Give the trace context of what follows from a cause."""
        return cause.traceparent

    def names(self, cause: Envelope) -> Mapping[str, str]:  # noqa: ARG002 - of no trace there is nothing to say
        """Give what the log says of the trace."""
        return {}

    def committed(self, committed: Committed) -> None:
        """Tell of a commit."""

    def failed(self, item: Item, failure: Failure, began_s: float) -> None:
        """Tell of an attempt that failed, which began at `began_s`."""

    def performer(self, performer: Performer) -> Performer:
        """Give a performer whose work is told of."""
        return performer

    def publisher(self, publisher: Publisher, verb: str) -> Publisher:  # noqa: ARG002 - nothing is told
        """Give a publisher whose work is told of, as `verb`."""
        return publisher

    async def close(self) -> None:
        """Hand over what is left."""


class Traced(Untraced):
    """The traces of one service, for a recorder."""

    def __init__(self, reactions: Reactions, recorder: Recorder, clock: Clock) -> None:
        self._service = reactions.service
        self._recorder = recorder
        self._reactions = ReactionSpans(reactions, recorder, clock)
        self._performances = PerformanceSpans(recorder)

    def follow(self, cause: Envelope) -> str | None:
        """Give the trace context of the reaction; where nothing is recorded, pass on what came."""
        context = reaction_to(cause, self._service)
        return cause.traceparent if context is None else str(context)

    def names(self, cause: Envelope) -> Mapping[str, str]:
        """Give the ids of the trace and of the reaction's span."""
        context = reaction_to(cause, self._service)
        return {} if context is None else {"trace_id": context.trace, "span_id": context.span}

    def committed(self, committed: Committed) -> None:
        """Tell of each event of a commit."""
        self._reactions.committed(committed)

    def failed(self, item: Item, failure: Failure, began_s: float) -> None:
        """Tell of an attempt that failed."""
        self._reactions.failed(item, failure, began_s)

    def performer(self, performer: Performer) -> Performer:
        """Give a performer whose work is told of."""
        return self._performances.over(performer)

    def publisher(self, publisher: Publisher, verb: str) -> Publisher:
        """Give a publisher whose work is told of."""
        return ToldPublisher(publisher, self._recorder, verb, self._service)

    async def close(self) -> None:
        """Hand over what is left."""
        await self._recorder.close()
