"""Properties that nobody can read: the frame is read all the same, so its connection goes on."""

import struct

import pytest
from pamqp import frame
from pamqp.exceptions import UnmarshalingException
from pamqp.header import ContentHeader

from shared.broker.properties import read_whatever_they_are

MESSAGE_ID, TIMESTAMP, HEADERS = 1 << 7, 1 << 6, 1 << 13
BODY_BYTES = 7
DEEP = 2_000


def table(value: bytes) -> bytes:
    """A table of one field."""
    field = b"\x01x" + value
    return struct.pack(">I", len(field)) + field


def nested(depth: int) -> bytes:
    """A table in a table, so often."""
    inner = table(b"V")
    for _ in range(depth):
        inner = table(b"F" + inner)
    return inner


NANOSECONDS = struct.pack(">HQ", TIMESTAMP, 1_780_000_000_000_000_000)
NOT_UTF_8 = struct.pack(">HB", MESSAGE_ID, 2) + b"\xff\xfe"
UNKNOWN = struct.pack(">H", HEADERS) + table(b"?what")
TOO_DEEP = struct.pack(">H", HEADERS) + nested(DEEP)
CUT_OFF = struct.pack(">HB", MESSAGE_ID, 200)[:2]


def framed(properties: bytes) -> bytes:
    """A content header's frame on channel 1, as it comes over the wire."""
    payload = struct.pack(">HHQ", 60, 0, BODY_BYTES) + properties
    return struct.pack(">BHI", 2, 1, len(payload)) + payload + b"\xce"


@pytest.mark.parametrize(
    "properties",
    [NANOSECONDS, NOT_UTF_8, UNKNOWN, TOO_DEEP, CUT_OFF],
    ids=["nanoseconds", "not UTF-8", "unknown type", "too deep", "cut off"],
)
def test_what_cannot_be_read_is_none(properties: bytes) -> None:
    """The size of the body stands, so that what follows is read as it should be."""
    read_whatever_they_are()
    *_, header = frame.unmarshal(framed(properties))
    assert isinstance(header, ContentHeader)
    assert header.body_size == BODY_BYTES
    assert header.properties.message_id is None
    assert header.properties.timestamp is None
    assert not header.properties.headers


def test_what_can_be_read_is() -> None:
    """Nothing is lost on the way."""
    read_whatever_they_are()
    *_, header = frame.unmarshal(framed(struct.pack(">HB", MESSAGE_ID, 2) + b"id"))
    assert isinstance(header, ContentHeader)
    assert header.properties.message_id == "id"


def test_a_frame_without_its_sizes_is_refused() -> None:
    """Nobody could tell where the next message begins."""
    read_whatever_they_are()
    with pytest.raises(UnmarshalingException):
        frame.unmarshal(struct.pack(">BHI", 2, 1, 4) + b"\x00\x3c\x00\x00" + b"\xce")
