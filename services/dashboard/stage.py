"""The stage as a plain document: how every event, every lane and every service is right now."""

import asyncio
from collections.abc import Sequence

from services.dashboard.documents import Document, behind
from services.dashboard.parts import Parts
from services.dashboard.picture import Group, Waiting
from services.dashboard.vitals import Vitals


async def stage(parts: Parts) -> Document:
    """Write how everything is right now: orders by state, every service, every lane, every event's rate."""
    counts, rates, waiting, vitals = await asyncio.gather(
        parts.picture.counts(), parts.picture.rates(), parts.picture.waiting(), parts.pulse.take()
    )
    groups = await parts.picture.stuck()
    return {
        "orders": counts,
        "events_per_min": sum(rates.values()),
        "rates": {event.name: rates.get(event.name, 0) for event in parts.dance.events.values() if event.public},
        "services": [_service(parts, vitals, name) for name in parts.dance.services],
        "lanes": [_lane(parts, vitals, lane, waiting.get(lane, Waiting()), groups) for lane in parts.dance.lanes],
        "dead_letters": vitals.all_letters,
        "parked": vitals.all_parked,
        "broker": vitals.depths.why,
        "behind": behind(parts),
    }


def _service(parts: Parts, vitals: Vitals, name: str) -> Document:
    backlog, place = vitals.backlogs.get(name), parts.follower.places[name]
    return {
        "service": name,
        "answers": backlog is not None,
        "why": vitals.silent.get(name),
        "silent_since": place.silent_since,
        "outbox": backlog and backlog.outbox.model_dump(),
        "intents": [intents.model_dump() for intents in backlog.intents] if backlog else [],
        "retries": vitals.retries(name),
        "held_up": vitals.held_up(name),
    }


def _lane(parts: Parts, vitals: Vitals, lane: tuple[str, str], waiting: Waiting, groups: Sequence[Group]) -> Document:
    service, event = lane
    name = f"{service}.{event}"
    queue = vitals.queue(name)
    reactions = [each for each in parts.dance.who_reacts(event) if each.service == service]
    names = {each.name for each in reactions}
    stuck = [group for group in groups if group.waiting_for in names]
    oldest = [waiting.oldest_s, *(group.oldest_s for group in stuck)]  # who is stuck may wait for a dead letter
    return {
        "lane": name,
        "service": service,
        "event": event,
        "owner": parts.dance.events[event].owner,
        "reactions": [each.name for each in reactions],
        "events": waiting.events,
        "messages": queue and queue.messages,
        "unheard": bool(queue and queue.unheard),
        "retries": vitals.retries(service, name),
        "dead_letters": vitals.letters(name),
        "stuck": sum(group.orders for group in stuck),
        "oldest_s": max((each for each in oldest if each is not None), default=None),
    }
