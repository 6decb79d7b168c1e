"""Messages that no service of ours would send: strategies for them, and the way past every check of a client."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from hypothesis import strategies as st
from pamqp.commands import Basic

from shared.envelope import MESSAGE_MAX_BYTES, MESSAGE_MAX_EVENTS, beginning
from tests.integration.auditor import Auditor
from tests.integration.wire import envelope, message, placed
from tests.waiting import DEADLINE_S

PERSISTENT = 2
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A message that holds no order, with the properties that it travels with."""

    body: bytes
    properties: dict[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> list[bytes]:
        """What is to be set aside of it, each by itself; all of it where it holds nothing that can be told apart."""
        if len(self.body) > MESSAGE_MAX_BYTES:
            return [beginning(self.body)]
        try:
            batch = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return [self.body]
        is_batch = isinstance(batch, list) and 0 < len(batch) <= MESSAGE_MAX_EVENTS
        try:
            return [orjson.dumps([part]) for part in batch] if is_batch else [self.body]
        except TypeError:  # nested deeper than can be written
            return [self.body]


def order(**attributes: Any) -> dict[str, Any]:
    """Give an order as it is on the wire, but for these attributes."""
    (event,) = orjson.loads(message([envelope(placed(rosin=1))]))
    return dict(event | attributes)


def order_of(**fields: Any) -> dict[str, Any]:
    """Give an order as it is on the wire, but for these fields of its data."""
    return order(data=order()["data"] | fields)


def _lines(quantity: Any) -> dict[str, Any]:
    return order_of(lines=[{"sku": "rosin", "quantity": quantity, "unit_price": 1}])


PARTS = st.one_of(
    JSON.filter(lambda value: not isinstance(value, dict)),
    st.dictionaries(st.text(max_size=5), JSON, max_size=3),
    st.builds(lambda name, value: order(**{name: value}), st.sampled_from(["id", "type", "data"]), JSON),
    st.builds(lambda version: order(type=version), st.sampled_from(["order.placed.v2", "order.cancelled.v1", "\0"])),
    st.builds(lambda name: order_of(**{name: "absurd"}), st.sampled_from(["order_id", "lines", "total"])),
    st.builds(_lines, st.sampled_from([-1, 0, 0.5, 1_001, 2**63, "1", None])),
)
"""Parts of a message, none of which can be read as an order."""
HEADERS = st.dictionaries(
    st.sampled_from(["quartet-attempts", "quartet-lane", "quartet-first-failed-at", "x-death", "x-delivery-count"]),
    st.text(max_size=50) | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.none() | st.just("9" * 100_000),
    max_size=3,
)
PROPERTIES = st.fixed_dictionaries(
    {"headers": HEADERS},
    optional={
        "message_id": st.sampled_from(["", "x" * 255, "\0", "é" * 127]),
        "content_type": st.sampled_from(["text/plain", "\0", "application/json"]),
        "content_encoding": st.sampled_from(["gzip", "utf-16"]),
        "correlation_id": st.just("x" * 255),
        "reply_to": st.just("nobody"),
        "priority": st.integers(0, 255),
    },
)
BODIES = st.one_of(
    st.binary(max_size=200),
    JSON.map(orjson.dumps),
    st.lists(PARTS, min_size=1, max_size=5).map(orjson.dumps),
)
STRANGERS = st.builds(Stranger, BODIES, PROPERTIES)

WORST = {
    "empty": b"",
    "deep": b"[" * 50_000 + b"]" * 50_000,
    "deep inside": b'[{"specversion":' + b"[" * 1_000 + b"]" * 1_000 + b"}]",
    "huge": b'["' + b"x" * 5_000_000,
    "crowded": orjson.dumps([*range(100)]),
    "too crowded": orjson.dumps([*range(MESSAGE_MAX_EVENTS + 1)]),
}


async def publish_raw(auditor: Auditor, exchange: str, routing_key: str, stranger: Stranger) -> None:
    """Publish a message as it is, and wait for the broker's confirm."""
    async with await auditor.channel() as channel:
        raw = await channel.get_underlay_channel()
        properties = Basic.Properties(delivery_mode=PERSISTENT, **stranger.properties)
        answer = await raw.basic_publish(
            stranger.body,
            exchange=exchange,
            routing_key=routing_key,
            properties=properties,
            mandatory=True,
            timeout=DEADLINE_S,
        )
        assert isinstance(answer, Basic.Ack), answer
