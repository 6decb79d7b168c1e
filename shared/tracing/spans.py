"""What is told of the dance: spans, and the door to whoever records them."""

import functools
import time
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple, ParamSpec, Protocol, TypeAlias

from loguru import logger

from shared.tracing.context import SpanContext

P = ParamSpec("P")
Kind: TypeAlias = Literal["server", "client", "producer", "consumer", "internal"]
NS_PER_S = 1_000_000_000


class Span(NamedTuple):
    """Something that was done. Times are in nanoseconds since 1970; nothing in it is personal or secret."""

    name: str
    kind: Kind
    context: SpanContext
    parent: SpanContext | None
    """The span of its cause."""
    began_ns: int
    ended_ns: int
    attributes: Mapping[str, str | int]
    links: tuple[SpanContext, ...] = ()
    """Former attempts at the same, which are no causes."""
    error: str | None = None
    """What went wrong, by its class: a text might quote what is personal."""


class Recorder(Protocol):
    """Who records spans. Neither method waits for anybody, and a span too many is dropped."""

    def samples(self, trace_id: int) -> bool:
        """Say whether a trace that begins here is recorded."""

    def record(self, span: Span) -> None:
        """Record a span that is over."""

    async def close(self) -> None:
        """Hand over what is left, as far as that takes no time worth mentioning."""


def harmless(tell: Callable[P, None]) -> Callable[P, None]:
    """Have whatever goes wrong in the telling cost a span, and never what it tells of."""

    @functools.wraps(tell)
    def told(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            tell(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the dance goes on
            logger.opt(exception=error).warning("a span is lost")

    return told


def since(monotonic_s: float, now_s: float) -> tuple[int, int]:
    """Give the time of day at a moment of the monotonic clock, and the one right now."""
    now_ns = time.time_ns()
    return now_ns - int((now_s - monotonic_s) * NS_PER_S), now_ns
