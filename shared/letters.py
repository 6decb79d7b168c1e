"""Dead letters: what a service set aside, drained from its queue and kept in a table, one event a letter.

A letter is named by its lane and its content, so one that is drained twice, because a crash came between the commit
and the ack, is one row.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeAlias
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

from shared.envelope import MESSAGE_MAX_BYTES, MESSAGE_MAX_EVENTS, Envelope, apart, beginning, decode
from shared.retries import ATTEMPTS, ERROR_CLASS, FIRST_FAILED_AT, LANE, LAST_FAILED_AT, REASON

TEXT_MAX_CHARACTERS = 500
BROKER = "DeliveryLimit"
"""The error class of what the broker set aside itself, as its own limit of redeliveries asks."""
BARE = "Unkept"
"""The error class of what could not be kept as it was read."""

InboxSays: TypeAlias = Literal["nothing", "dead", "advanced", "ignored", "dropped"]
"""What an inbox holds for an event."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One event that was set aside, or a message that holds none that can be told apart."""

    letter_id: UUID
    lane: str
    event_id: UUID | None
    """None where it cannot be read: then no inbox knows it."""
    type: str | None
    correlation_id: UUID | None
    body: bytes
    error_class: str
    reason: str
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter as it lies in the table, read anew: what could not be read may be by now."""

    letter: Letter
    drained_at: datetime
    position: int
    """Its place in the pile. A letter that comes back goes to the end."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are meant: those of which all holds that is not None."""

    letter_ids: tuple[UUID, ...] | None = None
    error_class: str | None = None
    lanes: tuple[str, ...] | None = None


class Keeper(Protocol):
    """Where letters are kept."""

    async def keep(self, letters: Sequence[Letter]) -> None:
        """Keep letters, and note in the inbox that their events are dead; doing it again changes nothing.

        Raises:
            WorldError: it has to be done again.
        """


def letters_of(body: bytes, headers: Mapping[str, Any], now: datetime) -> list[Letter]:
    """Read a message of a dead-letter queue. Nothing in it is trusted: whatever it holds, it is some letters."""
    return [_letter(part, headers, now) for part in dict.fromkeys(_parts(body))]


def bare_letter(body: bytes, headers: Mapping[str, Any], why: str, now: datetime) -> Letter:
    """Take a message as it is, and read nothing in it: its letters could not be made, or were refused."""
    lane, body = _lane(headers), beginning(body)
    return Letter(_letter_id(lane, body), lane, None, None, None, body, BARE, _text(why), 1, now, now)


def read_anew(body: bytes, lane: str) -> Envelope | None:
    """Read the event in a letter; None where it cannot be read, or is not the only one."""
    (read, *others) = decode(body, lane.partition(".")[2])
    return read if isinstance(read, Envelope) and not others else None


def _parts(body: bytes) -> list[bytes]:
    """Take a batch apart; ours holds one event, but what the broker set aside is a whole message."""
    if len(body) > MESSAGE_MAX_BYTES:
        return [beginning(body)]
    try:
        batch = orjson.loads(body)
    except orjson.JSONDecodeError:
        return [body]
    is_batch = isinstance(batch, list) and 0 < len(batch) <= MESSAGE_MAX_EVENTS
    return apart(body, range(len(batch))) if is_batch else [body]


def _letter(body: bytes, headers: Mapping[str, Any], now: datetime) -> Letter:
    lane = _lane(headers)
    known = read_anew(body, lane)
    last = _time(headers.get(LAST_FAILED_AT)) or now
    return Letter(
        letter_id=_letter_id(lane, body),
        lane=lane,
        event_id=known and known.event_id,
        type=known.type if known else _type(body),
        correlation_id=known and known.correlation_id,
        body=body,
        error_class=_text(headers.get(ERROR_CLASS)) or BROKER,
        reason=_text(headers.get(REASON)) or "the broker set it aside: it was delivered again and again",
        attempts=_count(headers.get(ATTEMPTS)),
        first_failed_at=_time(headers.get(FIRST_FAILED_AT)) or last,
        last_failed_at=last,
    )


def _letter_id(lane: str, body: bytes) -> UUID:
    return uuid5(NAMESPACE_URL, f"quartet:letter:{lane}:{hashlib.sha256(body).hexdigest()}")


def _lane(headers: Mapping[str, Any]) -> str:
    """Read where a message was, by our word or by the broker's, if it set it aside; "" where neither says."""
    if lane := _text(headers.get(LANE)):
        return lane
    deaths = headers.get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths else {}
    return _text(death.get("queue")) if isinstance(death, Mapping) else ""


def _type(body: bytes) -> str | None:
    """Give what an unreadable event calls itself."""
    try:
        (attributes,) = orjson.loads(body)
        return _text(attributes["type"]) or None
    except (orjson.JSONDecodeError, TypeError, ValueError, LookupError):
        return None


def _text(value: object) -> str:
    """Give text that PostgreSQL can hold; "" for anything else."""
    plain = value.replace("\0", "").encode(errors="replace").decode() if isinstance(value, str) else ""
    return plain[:TEXT_MAX_CHARACTERS]


def _count(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 2**31 else 1


def _time(value: object) -> datetime | None:
    """Read a time that PostgreSQL can hold: one with a zone, that is a time in UTC too."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        return at.astimezone(UTC) if at is not None and at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
