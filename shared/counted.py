"""What goes through a port, counted: a publisher and a performer that tell of all they did, and do nothing else."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, TypeAlias

from shared.intents import NotAskedError, Performer, Reply
from shared.ports import Claim, Clock, Message, NotConfirmedError, Publisher

Answering: TypeAlias = Literal["answered", "unanswered", "not_asked"]


class CountedPublisher:
    """Publishes as another does, and tells of each message whether the broker has confirmed it."""

    def __init__(self, publisher: Publisher, tell: Callable[[Message, bool], None]) -> None:
        self._publisher = publisher
        self._tell = tell

    async def publish(self, messages: Iterable[Message]) -> Sequence[NotConfirmedError | None]:
        """Publish all at once."""
        messages = tuple(messages)
        answers = await self._publisher.publish(messages)
        for message, error in zip(messages, answers, strict=True):
            self._tell(message, error is None)
        return answers


def counted_performer(performer: Performer, clock: Clock, tell: Callable[[Answering, float], None]) -> Performer:
    """Carry out an intent as another does, and tell how that went and how many seconds it took."""

    async def perform(claim: Claim) -> Reply:
        began_s = clock.monotonic_s()
        answering: Answering = "unanswered"
        try:
            reply = await performer(claim)
            answering = "answered"
        except NotAskedError:
            answering = "not_asked"
            raise
        else:
            return reply
        finally:
            tell(answering, clock.monotonic_s() - began_s)

    return perform
