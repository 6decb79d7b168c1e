"""The envelope an event travels and is logged in, and its form on the wire: CloudEvents 1.0, JSON batch.

Source: CloudEvents 1.0 JSON format, section 4 (batch); the `traceparent` attribute is the Distributed Tracing
extension, `causationid` and `correlationid` are ours.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypeAlias
from uuid import UUID

import orjson
from pydantic import Field, Strict, TypeAdapter, ValidationError
from typing_extensions import TypedDict  # pydantic asks for it below Python 3.12

from shared.event import VOCABULARY, Event
from shared.ids import plain_id

CONTENT_TYPE = "application/cloudevents-batch+json"
SPEC_VERSION = "1.0"
MESSAGE_MAX_EVENTS = 10_000
"""No relay packs more into one message; what claims to hold more is set aside whole."""
MESSAGE_MAX_BYTES = 1024 * 1024
"""Several times what a relay packs; what is larger is nobody's event, and is set aside without being read."""
BEGINNING_MAX_BYTES = 64 * 1024
"""So much is kept of what is too large."""


class Envelope(NamedTuple):
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


class Logged(NamedTuple):
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
    if len(body) > MESSAGE_MAX_BYTES:
        return (Unreadable(f"{len(body):,} bytes, and no more than {MESSAGE_MAX_BYTES:,} are read"),)
    try:
        return tuple(map(_envelope, _whole(event_name).validate_json(body)))
    except (ValidationError, LookupError):
        return _one_by_one(body, event_name)


@lru_cache
def _whole(event_name: str) -> TypeAdapter[Any]:
    """Make what reads a batch that is as it should be, all at once: a third of the cost of one by one.

    Raises:
        LookupError: not exactly one version of the event is known.
    """
    versions = [event for event in VOCABULARY.values() if event.kind.public and event.kind.name == event_name]
    if len(versions) != 1:
        raise LookupError(event_name)
    attributes: dict[str, Any] = {
        "specversion": Literal[SPEC_VERSION],
        "type": Literal[versions[0].kind.type],
        "id": Annotated[UUID, Strict()],
        "correlationid": Annotated[UUID, Strict()],
        "causationid": NotRequired[Annotated[UUID, Strict()]],
        "time": NotRequired[Annotated[datetime, Strict()]],
        "traceparent": NotRequired[str],
        "data": versions[0],
    }
    read = TypedDict("read", attributes)  # type: ignore[misc]  # its fields are known at run time alone
    return TypeAdapter(Annotated[list[read], Field(min_length=1, max_length=MESSAGE_MAX_EVENTS)])


def _envelope(attributes: dict[str, Any]) -> Envelope:
    return Envelope(
        attributes["id"],
        attributes["data"],
        attributes["correlationid"],
        attributes.get("causationid"),
        attributes.get("traceparent"),
        attributes.get("time"),
    )


def _one_by_one(body: bytes, event_name: str) -> tuple[Read, ...]:
    """Read a batch of which some part is not as it should be, and say what is wrong with that part."""
    try:
        batch = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return (Unreadable(f"not JSON: {error}"),)
    if not isinstance(batch, list) or not batch:
        return (Unreadable("not a CloudEvents batch"),)
    if len(batch) > MESSAGE_MAX_EVENTS:
        return (Unreadable(f"more than {MESSAGE_MAX_EVENTS} events"),)
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
    except (TypeError, ValueError, AttributeError, RecursionError) as error:  # their texts would quote the data too
        return Unreadable(f"not an event of ours: {type(error).__name__}")


def apart(body: bytes, indices: Iterable[int]) -> list[bytes]:
    """Give the events of a batch that stand at `indices`, each as a batch of its own.

    Where that cannot be done it gives the whole body; of one that is too large, its beginning.
    """
    if len(body) > MESSAGE_MAX_BYTES:
        return [beginning(body) for _ in indices]
    try:
        batch = orjson.loads(body)
    except orjson.JSONDecodeError:
        batch = None
    if not isinstance(batch, list) or len(batch) > MESSAGE_MAX_EVENTS:
        return [body for _ in indices]
    return [_alone(batch, index, body) for index in indices]


def beginning(body: bytes) -> bytes:
    """Give what is kept of a body: all of it, or of one that is too large how it begins, how long and which it was."""
    if len(body) <= MESSAGE_MAX_BYTES:
        return body
    return body[:BEGINNING_MAX_BYTES] + f" … {len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}".encode()


def _alone(batch: list[Any], index: int, body: bytes) -> bytes:
    try:
        return orjson.dumps([batch[index]])
    except (TypeError, LookupError):  # nothing stands there, or it is nested deeper than can be written
        return body
