"""What becomes of an event that failed: it leaves its message and travels alone, then rests with the dead letters.

Attempts are counted by us, in a header of a fresh message. Nothing of the old headers is copied: an `x-death` that
is copied makes the broker drop the message in silence at its next time-to-live ("cycle detected").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from loguru import logger

from shared.backoff import Backoff, jittered
from shared.ports import Clock, Message, Publisher
from shared.topology import Lane, dead_exchange, delay_exchange

ATTEMPTS = "quartet-attempts"
LANE = "quartet-lane"
REASON = "quartet-reason"
ERROR_CLASS = "quartet-error-class"
FIRST_FAILED_AT = "quartet-first-failed-at"
LAST_FAILED_AT = "quartet-last-failed-at"

REASON_MAX_CHARACTERS = 500
ATTEMPTS_READ_MAX = 1_000_000
"""A header that counts further is no count of ours; sent on as it is, it might be more than a header can hold."""
CONFIRM_BACKOFF = Backoff(first_s=0.1, most_s=5.0)


@dataclass(frozen=True, slots=True)
class Failure:
    """An event that failed, as the one-event batch it arrived as or would have; `attempts` counts this one."""

    event_id: str
    body: bytes
    attempts: int
    error_class: str
    reason: str
    failed_at: datetime
    first_failed_at: str | None = None
    retryable: bool = True


class Retries:
    """Sends failed events of one service to wait, and those that failed too often to the dead letters."""

    def __init__(self, publisher: Publisher, clock: Clock, delay_tiers_ms: Sequence[int]) -> None:
        self._publisher = publisher
        self._clock = clock
        self._delay_tiers_ms = delay_tiers_ms

    async def set_back(self, lane: Lane, failures: Sequence[Failure]) -> None:
        """Return once the broker has confirmed a copy of every failure: only then may the message be acked."""
        waiting = [self._message(lane, failure) for failure in failures]
        for delay_s in CONFIRM_BACKOFF.delays_s():
            errors = await self._publisher.publish(waiting)
            waiting = [message for message, error in zip(waiting, errors, strict=True) if error is not None]
            if not waiting:
                return
            logger.error(
                "{} retry copies of {} not confirmed yet: {}", len(waiting), lane.queue, next(filter(None, errors))
            )
            await self._clock.sleep(delay_s)

    def _message(self, lane: Lane, failure: Failure) -> Message:
        headers = _headers(lane, failure)
        if (tier_ms := tier_of(failure, self._delay_tiers_ms)) is not None:
            return Message(
                delay_exchange(lane.service, tier_ms),
                lane.queue,
                failure.body,
                failure.event_id,
                headers,
                expiration_ms=wait_ms(failure, tier_ms),
            )
        logger.error("set aside after {} attempts at {}: {}", failure.attempts, lane.queue, failure.reason)
        return Message(dead_exchange(lane.service), lane.queue, failure.body, failure.event_id, headers)


def tier_of(failure: Failure, delay_tiers_ms: Sequence[int]) -> int | None:
    """Give the delay tier in which an event waits to be tried again; None: it is set aside."""
    waits = failure.retryable and failure.attempts <= len(delay_tiers_ms)
    return delay_tiers_ms[failure.attempts - 1] if waits else None


def wait_ms(failure: Failure, tier_ms: int) -> int:
    """Give how long it waits there."""
    return int(jittered(tier_ms, f"{failure.event_id}{failure.attempts}"))


def attempts_so_far(headers: Mapping[str, object]) -> int:
    """Read how often the event of a message was tried before; a header that is no such number counts as never."""
    attempts = headers.get(ATTEMPTS)
    return attempts if isinstance(attempts, int) and attempts in range(ATTEMPTS_READ_MAX + 1) else 0


def _headers(lane: Lane, failure: Failure) -> dict[str, str | int]:
    at = failure.failed_at.isoformat()
    return {
        ATTEMPTS: failure.attempts,
        LANE: lane.queue,
        ERROR_CLASS: failure.error_class,
        REASON: failure.reason[:REASON_MAX_CHARACTERS],
        FIRST_FAILED_AT: failure.first_failed_at or at,
        LAST_FAILED_AT: at,
    }
