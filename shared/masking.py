"""Showing what was set aside without what is personal or secret in it.

An event that can be read shows the fields that its schema knows and does not mark. Of anything else nobody can say
what is in it: only the attributes that every envelope has are shown, and the shape of the rest.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

from shared.envelope import Envelope, decode
from shared.event import VOCABULARY, Event

Show: TypeAlias = Callable[[Any], Any]
"""Gives what may be shown of a value."""
MASK = "•••"
MARKS = ("x-personal-data", "x-secret")
SHOWN_MAX_CHARACTERS = 4_000
DEPTH_MAX = 20
"""What lies deeper in an unreadable body is not followed."""
ATTRIBUTES = frozenset({
    "specversion", "id", "source", "type", "time", "subject", "datacontenttype", "correlationid", "causationid",
    "traceparent",
})  # fmt: skip


def masked(body: bytes, event_name: str) -> str:
    """Show a body with one event; no more than `SHOWN_MAX_CHARACTERS` of it."""
    read, *others = decode(body, event_name)
    try:
        batch = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _shape(body.decode(errors="replace")[:SHOWN_MAX_CHARACTERS])
    show = _show_of(type(read.event)) if isinstance(read, Envelope) and not others else _hidden
    return orjson.dumps(_shown(batch, show)).decode()[:SHOWN_MAX_CHARACTERS]


def masked_data(event_type: str, data: Any) -> Any:
    """Show the data of an event; of a type that is not known here, its shape alone."""
    event = VOCABULARY.get(event_type)
    return _hidden(data) if event is None else _show_of(event)(data)


def _shape(text: str) -> str:
    """Keep only how it is written: letters become x, digits 9."""
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "x", text))


def _shown(batch: Any, show: Show) -> Any:
    if isinstance(batch, list) and batch and all(isinstance(event, dict) for event in batch):
        return [{name: _attribute(name, value, show) for name, value in event.items()} for event in batch]
    return _hidden(batch)


def _attribute(name: str, value: Any, show: Show) -> Any:
    if name == "data":
        return show(value)
    return value if name in ATTRIBUTES and not isinstance(value, dict | list) else _hidden(value)


@lru_cache
def _show_of(event: type[Event]) -> Show:
    """Read an event's schema once: a feed shows thousands of its kind."""
    schema = event.model_json_schema()
    return _by_schema(schema, schema.get("$defs", {}))


def _by_schema(schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Show:
    arms = [defs[arm["$ref"].rpartition("/")[2]] if "$ref" in arm else arm for arm in schema.get("anyOf", [schema])]
    if any(arm.get(mark) for arm in (schema, *arms) for mark in MARKS):
        return lambda _: MASK
    known = {name: _by_schema(field, defs) for arm in arms for name, field in arm.get("properties", {}).items()}
    items = [_by_schema(arm["items"], defs) for arm in arms if "items" in arm]
    item = items[0] if items else _hidden

    def show(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: known.get(name, _hidden)(inner) for name, inner in value.items()}
        return list(map(item, value)) if isinstance(value, list) else value

    return show


def _hidden(value: Any, depth: int = 0) -> Any:
    """Keep the structure, and nothing that says anything."""
    if depth == DEPTH_MAX or isinstance(value, str | int | float):
        return MASK
    if isinstance(value, dict):
        return {name: _hidden(inner, depth + 1) for name, inner in value.items()}
    return [_hidden(inner, depth + 1) for inner in value] if isinstance(value, list) else value
