"""The envelope an event travels and is logged in, and its form on the wire: CloudEvents 1.0, JSON batch.

Source: CloudEvents 1.0 JSON format, section 4 (batch); the `traceparent` attribute is the Distributed Tracing
extension, `causationid` and `correlationid` are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import orjson
from pydantic import ValidationError

from shared.event import VOCABULARY, Event
from shared.ids import plain_id

CONTENT_TYPE = "application/cloudevents-batch+json"
SPEC_VERSION = "1.0"


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event and where it comes from.

    `correlation_id` is the order's id for all that belongs to one order. `occurred_at` is set by the database
    that logged the event; what has not been logged yet, such as a command, has none.
    """

    event_id: UUID
    event: Event
    correlation_id: UUID
    causation_id: UUID | None = None
    traceparent: str | None = None
    occurred_at: datetime | None = None

    @property
    def type(self) -> str:
        """The versioned CloudEvents type."""
        return self.event.kind.type


@dataclass(frozen=True, slots=True)
class Logged:
    """An event as it stands in the log: its payload encoded once, for the log and for the wire."""

    event_id: UUID
    type: str
    owner: str
    payload: bytes
    correlation_id: UUID
    causation_id: UUID | None
    traceparent: str | None
    occurred_at: datetime

    @property
    def routing_key(self) -> str:
        """The type without its version: `order.placed`."""
        return self.type.rpartition(".")[0]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A part of a message that cannot be read as an event of our vocabulary: set aside, never retried."""

    reason: str


Read: TypeAlias = Envelope | Unreadable


def encode(logged: Sequence[Logged]) -> bytes:
    """Write events as one CloudEvents JSON batch."""
    return orjson.dumps([_cloud_event(entry) for entry in logged], default=plain_id)


def _cloud_event(entry: Logged) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "specversion": SPEC_VERSION,
        "id": entry.event_id,
        "source": f"/quartet/{entry.owner}",
        "type": entry.type,
        "time": entry.occurred_at,
        "subject": str(entry.correlation_id),
        "datacontenttype": "application/json",
        "correlationid": entry.correlation_id,
        "data": orjson.Fragment(entry.payload),
    }
    if entry.causation_id is not None:
        attributes["causationid"] = entry.causation_id
    if entry.traceparent is not None:
        attributes["traceparent"] = entry.traceparent
    return attributes


def decode(body: bytes, event_name: str) -> tuple[Read, ...]:
    """Read a CloudEvents JSON batch of `event_name`, any known version of it.

    What cannot be read is returned as `Unreadable`, the rest stands.
    """
    try:
        batch = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return (Unreadable(f"not JSON: {error}"),)
    if not isinstance(batch, list) or not batch:
        return (Unreadable("not a CloudEvents batch"),)
    return tuple(_read(attributes, event_name) for attributes in batch)


class _UnknownError(Exception):
    """Well formed, and nothing that we know."""


def _read(attributes: Any, event_name: str) -> Read:
    try:
        if attributes["specversion"] != SPEC_VERSION:
            raise _UnknownError(f"specversion {attributes['specversion']!r}")  # noqa: TRY301 - one way out
        event = VOCABULARY.get(attributes["type"])
        if event is None or event.kind.name != event_name or not event.kind.public:
            raise _UnknownError(f"type {attributes['type']!r} is not known here")  # noqa: TRY301 - one way out
        cause, occurred_at = attributes.get("causationid"), attributes.get("time")
        traceparent = attributes.get("traceparent")
        return Envelope(
            event_id=UUID(attributes["id"]),
            event=event.model_validate(attributes["data"]),
            correlation_id=UUID(attributes["correlationid"]),
            causation_id=UUID(cause) if cause else None,
            traceparent=traceparent if isinstance(traceparent, str) else None,
            occurred_at=datetime.fromisoformat(occurred_at) if occurred_at else None,
        )
    except ValidationError as error:  # its text would quote the data, which may be personal
        fields = ", ".join(".".join(map(str, e["loc"])) for e in error.errors(include_input=False))
        return Unreadable(f"wrong fields: {fields}")
    except _UnknownError as error:
        return Unreadable(str(error))
    except KeyError as error:
        return Unreadable(f"no {error}")
    except (TypeError, ValueError, AttributeError) as error:  # their texts would quote the data as well
        return Unreadable(f"not an event of ours: {type(error).__name__}")


def alone(body: bytes, index: int) -> bytes:
    """Give the event number `index` of a batch as a batch of its own; the whole body where that cannot be done."""
    try:
        batch = orjson.loads(body)
        return orjson.dumps([batch[index]]) if isinstance(batch, list) else body
    except (orjson.JSONDecodeError, TypeError, LookupError):  # not a batch, or nested deeper than can be written
        return body
