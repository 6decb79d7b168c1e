"""Nothing waits for longer than a bound, and what is parked is named at once: it waits for a person."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from infra.audit.facts import Bounds, Posted, Saga


def ends_in_time(saga: Saga) -> Iterator[str]:
    """An order ends."""
    is_open = saga.order is not None and not saga.order.settled
    if is_open and saga.last is not None and _is_overdue(saga.last, saga.began, saga.bounds):
        yield f"it is {saga.order and saga.order.status} and not settled, and nothing happened since {saga.last}"


def asked_in_time(saga: Saga) -> Iterator[str]:
    """An intent is answered."""
    for part in saga.parts.values():
        for intent in part.intents:
            if not intent.parked and _is_overdue(intent.since, part.now, part.bounds):
                yield f"{part.service} waits for {intent.what} since {intent.since}"


def published_in_time(saga: Saga) -> Iterator[str]:
    """An event leaves the outbox."""
    for part in saga.parts.values():
        for event in part.outbox.values():
            if not event.parked and _is_overdue(event.since, part.now, part.bounds):
                yield f"{part.service} has {event.what} in its outbox since {event.since}"


def is_in_the_log(posted: Posted) -> Iterator[str]:
    """There is an event to publish: without one the row waits for ever, and nobody is told of anything."""
    if not posted.is_logged:
        yield f"{posted.event_id} waits to be published, and was never logged"


def nothing_parked(saga: Saga) -> Iterator[str]:
    """No intent or event was given up on."""
    for part in saga.parts.values():
        for waiting in (*part.intents, *part.outbox.values()):
            if waiting.parked:
                yield f"{part.service} parked {waiting.what}"


def _is_overdue(since: datetime, now: datetime, bounds: Bounds) -> bool:
    return since < now - timedelta(seconds=bounds.overdue_s)
