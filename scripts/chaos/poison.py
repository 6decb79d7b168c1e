"""Poison: messages that nobody can react to, of every kind but one.

The one that crashes the process needs a reaction that does so, which no service has: `test_deadly_event.py` of the
integration tests starts a service that was built for it.
"""

import orjson

from scripts.chaos.world import World
from shared.event import Event
from shared.ids import new_id

HUGE_BYTES = 2 * 1024 * 1024
DEPTH = 1_000
"""Deep enough that it can be read, and not be written again."""


def bodies(event_class: type[Event]) -> dict[str, bytes]:
    """Give a poisonous message of each kind, by what is wrong with it."""
    kind = event_class.kind

    def event(type_: str, data: object, event_id: str | None = None) -> dict[str, object]:
        about = str(new_id())
        return {
            "specversion": "1.0", "id": event_id or str(new_id()), "source": f"/quartet/{kind.owner}", "type": type_,
            "subject": about, "correlationid": about, "datacontenttype": "application/json", "data": data,
        }  # fmt: skip

    unique = str(new_id()).encode()  # a letter is named by its content: the same poison twice would be one letter
    return {
        "not JSON": b"\x00\xff{" + unique,
        "no batch": orjson.dumps({"id": unique.decode()}),
        "wrong fields": orjson.dumps([event(kind.type, {"nothing": "of ours"})]),
        "no UUID": orjson.dumps([event(kind.type, {}, event_id=f"not-a-uuid {unique.decode()}")]),
        "unknown type": orjson.dumps([event("martian.landed.v1", {})]),
        "newer version": orjson.dumps([event(f"{kind.name}.v{kind.version + 1}", {})]),
        "huge": orjson.dumps([event(kind.type, {"padding": "x" * HUGE_BYTES})]),
        "deep": b"[" * DEPTH + b'"' + unique + b'"' + b"]" * DEPTH,
    }


async def poison(world: World, event_class: type[Event]) -> int:
    """Publish poison of every kind under an event's routing key, as its owner would; say how many messages."""
    messages = bodies(event_class)
    await world.broker.publish(event_class.kind.owner, event_class.kind.name, *messages.values())
    world.say(f"{len(messages)} poisonous {event_class.kind.name} came: {', '.join(messages)}")
    return len(messages)
