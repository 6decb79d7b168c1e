"""What there is to show, as plain documents: the pages and the JSON interface are two ways to write the same ones."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from services.dashboard.causes import Step
from services.dashboard.feeds import SilentError
from services.dashboard.follower import Place
from services.dashboard.parts import Parts
from services.dashboard.picture import PAGE_MAX_ORDERS, Group, Row
from services.dashboard.story import Kind, Story, Wait
from services.dashboard.vitals import Vitals
from shared.tracing.context import TRACEPARENT

Document = dict[str, Any]

INTENTS_TIMEOUT_S = 1.0
"""A page does not wait longer for what a service would add to it."""


def order_row(row: Row) -> Document:
    """Write an order as lists have it."""
    return {
        "order_id": row.order_id,
        "state": row.state,
        "status": row.status,
        "settled": row.settled,
        "reason": row.reason,
        "customer_id": row.customer_id,
        "placed_at": row.placed_at,
        "last_event": row.last_event,
        "last_at": row.last_at,
        "events": row.events,
        "waiting_for": row.waiting_for,
        "waiting_kind": row.waiting_kind,
        "waiting_since": row.waiting_since,
        "waits_s": row.waits_s,
    }


async def order(parts: Parts, order_id: UUID) -> Document | None:
    """Write an order with all that happened, and with what must happen next; None: nobody has told of it."""
    story = (await parts.store.stories([order_id])).get(order_id)
    row = await parts.picture.order(order_id)
    if story is None or row is None:
        return None
    now, bound = datetime.now(UTC), timedelta(seconds=parts.picture.bound_s())
    (intents, silent), vitals = await asyncio.gather(_intents(parts, order_id, story), parts.pulse.take())
    began = min(step.event.at for step in story.steps)
    return {
        **order_row(row),
        "took_ms": _ms(row.last_at - row.placed_at),
        "trace_id": trace_id(story),
        "log": [_event(step, began) for step in story.steps],
        "next": [_wait(wait, now, bound, intents, vitals) for wait in story.waits],
        "silent": silent,
        "behind": behind(parts),
    }


def _event(step: Step, began: datetime) -> Document:
    event = step.event
    return {
        "event_id": event.event_id,
        "name": event.name,
        "type": event.type,
        "service": event.service,
        "version": event.version,
        "public": event.public,
        "at": event.at,
        "since_ms": _ms(event.at - began),
        "after_ms": None if step.after is None else _ms(step.after),
        "cause": step.cause and step.cause.event_id,
        "cause_name": step.cause and step.cause.name,
        "causation_id": event.causation_id,
        "by": [reaction.name for reaction in step.by],
        "answered": step.answered,
        "attempts": event.attempts,
        "intends": list(step.intends),
        "traceparent": event.traceparent,
        "data": event.data,
    }


def _wait(wait: Wait, now: datetime, bound: timedelta, intents: Mapping[str, Document], vitals: Vitals) -> Document:
    overdue_since = wait.since + bound
    late = wait.can_be_late and overdue_since < now
    return {
        "kind": wait.kind,
        "name": wait.name,
        "service": wait.service,
        "event": wait.on.name,
        "event_id": wait.on.event_id,
        "decides": wait.decides,
        "since": wait.since,
        "waits_s": (now - wait.since).total_seconds(),
        "overdue_since": overdue_since if late else None,
        "why": _reason(wait, vitals) if late else wait.why,
        "intent": intents.get(wait.name),
    }


async def _intents(parts: Parts, order_id: UUID, story: Story) -> tuple[dict[str, Document], list[Document]]:
    """Ask whoever has something to do outside how it goes; a service that is silent is named."""
    silent = {place.service: place for place in parts.follower.places.values() if place.silent_since}
    having = {wait.service for wait in story.waits if wait.kind in (Kind.INTENT, Kind.TIMER)}

    async def ask(service: str) -> list[tuple[str, Document]]:
        async with asyncio.timeout(INTENTS_TIMEOUT_S):
            told = await parts.services.intents(service, order_id)
        return [(f"{service}.{intent['kind']}", intent) for intent in told]

    answers = await asyncio.gather(*map(ask, sorted(having - silent.keys())), return_exceptions=True)
    found: dict[str, Document] = {}
    for answer in answers:
        if isinstance(answer, BaseException):
            if not isinstance(answer, SilentError | TimeoutError):
                raise answer
        else:
            found |= answer
    concerned = {wait.service for wait in story.waits}
    return found, [_place(place) for name, place in silent.items() if name in concerned]


def behind(parts: Parts) -> list[Document]:
    """Say how far the picture is behind each service's log."""
    return [_place(place) for place in parts.follower.places.values()]


def _place(place: Place) -> Document:
    return {
        "service": place.service,
        "behind": place.behind,
        "behind_s": round(place.behind_s, 1),
        "silent_since": place.silent_since,
        "why": place.why,
    }


async def orders(parts: Parts, state: str | None, search: str, before: UUID | None) -> Document:
    """List orders; `next` continues the list as `before`."""
    found = await parts.picture.orders(state, search, before)
    rows = [order_row(row) for row in found]
    whole = len(rows) == PAGE_MAX_ORDERS
    return {"orders": rows, "next": rows[-1]["order_id"] if whole else None, "behind": behind(parts)}


async def stuck(parts: Parts, bound_s: float | None = None) -> Document:
    """Group orders that wait too long by what they wait for, each with why the one waits that has waited longest."""
    groups = await parts.picture.stuck(bound_s)
    stories = await parts.store.stories({group.ids[0] for group in groups})
    vitals = await parts.pulse.take() if groups else Vitals()
    whys = await asyncio.gather(*(_why(parts, group, stories.get(group.ids[0]), vitals) for group in groups))
    return {
        "bound_s": parts.settings.stuck_after_s if bound_s is None else bound_s,
        "groups": [{**_group(group), "why": why} for group, why in zip(groups, whys, strict=True)],
        "behind": behind(parts),
    }


def _reason(wait: Wait, vitals: Vitals) -> str | None:
    """Say what its inbox says of an event, or else what its service does not get done before it reacts."""
    return wait.why or (vitals.held_up(wait.service) if wait.kind is Kind.REACTION else None)


async def _why(parts: Parts, group: Group, story: Story | None, vitals: Vitals) -> str | None:
    """Say why the first of a group waits; None: nothing went wrong that anybody knows of."""
    wait = next((each for each in story.waits if each.name == group.waiting_for), None) if story else None
    if story is None or wait is None:
        return None
    place = parts.follower.places[wait.service]
    if place.silent_since and wait.kind is not Kind.LETTER:
        return f"{wait.service} does not answer: {place.why}"
    if wait.kind is not Kind.INTENT:
        return _reason(wait, vitals)
    intents, _ = await _intents(parts, group.ids[0], story)
    error: str | None = intents.get(wait.name, {}).get("last_error")
    return error


def _group(group: Group) -> Document:
    service, _, what = group.waiting_for.partition(".")
    return {
        "waiting_for": group.waiting_for,
        "service": service,
        "what": what,
        "kind": group.waiting_kind,
        "orders": group.orders,
        "since": group.since,
        "oldest_s": group.oldest_s,
        "ids": group.ids,
    }


def trace_id(story: Story) -> str | None:
    """Give the order's trace; a `traceparent` comes from a message, and may be anything."""
    for step in story.steps:
        if found := TRACEPARENT.fullmatch(step.event.traceparent or ""):
            return found["trace"]
    return None


def _ms(duration: timedelta) -> float:
    return round(duration / timedelta(milliseconds=1), 1)
