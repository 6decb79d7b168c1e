"""Event ids: time-ordered at the root, derived from their cause everywhere else.

A reaction that ran twice names the same event twice, so the inbox drops the second; and because a derived id
keeps the time prefix of its cause, the ids of one saga lie together in every index.
"""

import hashlib
import os
import time
from uuid import NAMESPACE_URL, UUID, uuid5

TIME_BITS = 48
_RANDOM_MASK = (1 << 80) - 1
_VERSION_7 = 0x7 << 76
_VARIANT = 0b10 << 62
_KEEP = ~((0xF << 76) | (0b11 << 62)) & _RANDOM_MASK


def _version_7(time_ms: int, tail: int) -> UUID:
    """Lay 48 bits of milliseconds and 74 bits of `tail` out as RFC 9562 asks of a UUID version 7."""
    return UUID(int=(time_ms << 80) | (tail & _KEEP) | _VERSION_7 | _VARIANT)


def new_id() -> UUID:
    """Give a root event, which nothing caused, its id: the time in milliseconds, then 74 random bits."""
    return _version_7(time.time_ns() // 1_000_000, int.from_bytes(os.urandom(10)))


def derived_id(cause: UUID, *parts: str) -> UUID:
    """Name what `cause` led to: the time prefix of the cause, the rest a hash of the cause and `parts`."""
    digest = hashlib.blake2b("\x1f".join(parts).encode(), key=cause.bytes, digest_size=10).digest()
    return _version_7(cause.int >> 80, int.from_bytes(digest))


def stream_id(kind: str, key: str) -> UUID:
    """Name the stream of something that has no id of its own, such as the stock of one SKU."""
    return uuid5(NAMESPACE_URL, f"quartet:{kind}:{key}")


def plain_id(value: object) -> str:
    """Write an id of a subclass of `UUID`, such as a database driver's own, as text: a `default` for orjson.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
