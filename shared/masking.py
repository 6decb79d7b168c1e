"""Showing what was set aside without what is personal or secret in it.

An event that can be read shows the fields that its schema knows and does not mark. Of anything else nobody can say
what is in it: only the attributes that every envelope has are shown, and the shape of the rest.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from shared.envelope import Envelope, decode
from shared.event import VOCABULARY, Event

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
    schema = _schema_of(type(read.event)) if isinstance(read, Envelope) and not others else None
    return orjson.dumps(_shown(batch, schema)).decode()[:SHOWN_MAX_CHARACTERS]


def masked_data(event_type: str, data: Any) -> Any:
    """Show the data of an event; of a type that is not known here, its shape alone."""
    event = VOCABULARY.get(event_type)
    if event is None:
        return _hidden(data)
    schema = _schema_of(event)
    return _by_schema(data, schema, schema.get("$defs", {}))


@lru_cache
def _schema_of(event: type[Event]) -> Mapping[str, Any]:
    return event.model_json_schema()


def _shape(text: str) -> str:
    """Keep only how it is written: letters become x, digits 9."""
    return re.sub(r"\d", "9", re.sub(r"[^\W\d_]", "x", text))


def _shown(batch: Any, schema: Mapping[str, Any] | None) -> Any:
    if isinstance(batch, list) and batch and all(isinstance(event, dict) for event in batch):
        return [{name: _attribute(name, value, schema) for name, value in event.items()} for event in batch]
    return _hidden(batch)


def _attribute(name: str, value: Any, schema: Mapping[str, Any] | None) -> Any:
    if name == "data" and schema is not None:
        return _by_schema(value, schema, schema.get("$defs", {}))
    return value if name in ATTRIBUTES and not isinstance(value, dict | list) else _hidden(value)


def _by_schema(value: Any, schema: Mapping[str, Any], defs: Mapping[str, Any]) -> Any:
    arms = [defs[arm["$ref"].rpartition("/")[2]] if "$ref" in arm else arm for arm in schema.get("anyOf", [schema])]
    if any(arm.get(mark) for arm in (schema, *arms) for mark in MARKS):
        return MASK
    if isinstance(value, dict):
        known = {name: field for arm in arms for name, field in arm.get("properties", {}).items()}
        return {n: _by_schema(v, known[n], defs) if n in known else _hidden(v) for n, v in value.items()}
    if isinstance(value, list):
        items = next((arm["items"] for arm in arms if "items" in arm), None)
        return [_hidden(item) if items is None else _by_schema(item, items, defs) for item in value]
    return value


def _hidden(value: Any, depth: int = 0) -> Any:
    """Keep the structure, and nothing that says anything."""
    if depth == DEPTH_MAX or isinstance(value, str | int | float):
        return MASK
    if isinstance(value, dict):
        return {name: _hidden(inner, depth + 1) for name, inner in value.items()}
    return [_hidden(inner, depth + 1) for inner in value] if isinstance(value, list) else value
