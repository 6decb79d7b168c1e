"""The trace context of W3C, which travels with a request, a row and a message: the trace, and the span that led there.

Source: W3C Trace Context, section 3.2, `traceparent`.
"""

import hashlib
import os
import re
from contextvars import ContextVar
from typing import NamedTuple

from shared.envelope import Envelope

TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})")
SAMPLED = 1
SPAN_ID_BYTES = 8
TRACE_ID_BYTES = 16


class SpanContext(NamedTuple):
    """A span that is recorded, by its names."""

    trace_id: int
    span_id: int

    def __str__(self) -> str:
        """Write it as a `traceparent`."""
        return f"00-{self.trace}-{self.span}-{SAMPLED:02x}"

    @property
    def trace(self) -> str:
        """The trace's id in 32 hexadecimal digits."""
        return f"{self.trace_id:032x}"

    @property
    def span(self) -> str:
        """The span's id in 16 hexadecimal digits."""
        return f"{self.span_id:016x}"

    def another(self) -> "SpanContext":
        """Name one more span of the same trace."""
        return SpanContext(self.trace_id, drawn(SPAN_ID_BYTES))

    def named(self, *about: str) -> "SpanContext":
        """Name the span of the same trace that tells of this: always the same one."""
        digest = hashlib.blake2b("\x1f".join(about).encode(), digest_size=SPAN_ID_BYTES).digest()
        return SpanContext(self.trace_id, int.from_bytes(digest) or 1)


CURRENT: ContextVar[SpanContext | None] = ContextVar("quartet-span", default=None)
"""The span in which something is done right now, for those who speak to others meanwhile."""


def drawn(size_bytes: int) -> int:
    """Draw an id; none is zero."""
    return int.from_bytes(os.urandom(size_bytes)) or 1


def read(traceparent: str | None) -> SpanContext | None:
    """Read what is recorded; None where there is nothing, nothing that can be read, or nobody records it."""
    found = TRACEPARENT.fullmatch(traceparent or "")
    if found is None or not int(found["flags"], 16) & SAMPLED:
        return None
    context = SpanContext(int(found["trace"], 16), int(found["span"], 16))
    return context if all(context) else None


def is_declined(traceparent: str) -> bool:
    """Say whether whoever began the trace has decided that nobody records it."""
    found = TRACEPARENT.fullmatch(traceparent)
    return found is not None and not int(found["flags"], 16) & SAMPLED


def reaction_to(cause: Envelope, service: str) -> SpanContext | None:
    """Name the span of the one reaction of `service` to a cause that its inbox lets through.

    What follows from it carries this name, so the parent of a span is always the span of its cause.
    """
    parent = read(cause.traceparent)
    return parent and parent.named("reaction", service, str(cause.event_id))


def failed_attempt(parent: SpanContext, event_id: str, service: str, failed_at: str) -> SpanContext:
    """Name the span of an attempt that failed. The next attempt knows when that was from its own message."""
    return parent.named("attempt", service, event_id, failed_at)
