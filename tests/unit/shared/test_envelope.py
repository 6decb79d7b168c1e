"""Events on the wire: what is written is read, and what cannot be read is set aside, whatever it is."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.envelope import MESSAGE_MAX_EVENTS, Envelope, Logged, Unreadable, _one_by_one, apart, decode, encode
from shared.event import Event
from tests.unit.shared.generated import FEW, SOME, instances
from tests.unit.shared.wire import CAUSE, NOW, ORDER, PRIVATE, PUBLIC, TRACE, batch, cloud_event, logged

NAME = "order.cancelled"
SECRET = "anna.the.customer@example.com"
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


def one(body: bytes, name: str = NAME) -> Envelope | Unreadable:
    (read,) = decode(body, name)
    return read


def reason(body: bytes) -> str:
    read = one(body)
    assert isinstance(read, Unreadable)
    return read.reason


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.kind.name)
@FEW
@given(data=st.data())
def test_round_trip(kind: type[Event], data: st.DataObject) -> None:
    """Every public event comes out of a batch as it went in, with its envelope and in its place."""
    events = data.draw(st.lists(instances(kind), min_size=1, max_size=3))
    entries = [logged(event, number) for number, event in enumerate(events)]
    written = tuple(
        Envelope(entry.event_id, event, ORDER, CAUSE, TRACE, NOW) for entry, event in zip(entries, events, strict=True)
    )
    assert decode(encode(entries), kind.kind.name) == written
    assert _one_by_one(encode(entries), kind.kind.name) == written


@pytest.mark.parametrize("kind", PRIVATE, ids=lambda kind: kind.kind.name)
@FEW
@given(data=st.data())
def test_private_events(kind: type[Event], data: st.DataObject) -> None:
    """A private event is read from its log as it was written, and never from the wire."""
    event = data.draw(instances(kind))
    assert kind.model_validate_json(logged(event).payload) == event
    assert isinstance(one(encode([logged(event)]), kind.kind.name), Unreadable)


def test_cloud_event() -> None:
    """On the wire an event is a CloudEvent 1.0, its payload as it stands in the log."""
    entry = Logged(CAUSE, "order.placed.v1", "order", b'{"any":1}', ORDER, ORDER, TRACE, NOW)
    assert orjson.loads(encode([entry])) == [
        {
            "specversion": "1.0",
            "id": str(CAUSE),
            "source": "/quartet/order",
            "type": "order.placed.v1",
            "time": "2026-01-02T03:04:05.678000+00:00",
            "subject": str(ORDER),
            "datacontenttype": "application/json",
            "correlationid": str(ORDER),
            "causationid": str(ORDER),
            "traceparent": TRACE,
            "data": {"any": 1},
        }
    ]
    assert entry.routing_key == "order.placed"


def test_what_is_not_known_is_left_out() -> None:
    """An event without a cause or a trace has no such attribute, and is read as one without."""
    entry = Logged(CAUSE, "order.cancelled.v1", "order", orjson.dumps(cloud_event()["data"]), ORDER, None, None, NOW)
    (attributes,) = orjson.loads(encode([entry]))
    assert not {"causationid", "traceparent"} & attributes.keys()
    read = one(encode([entry]))
    assert isinstance(read, Envelope)
    assert (read.causation_id, read.traceparent) == (None, None)


def test_new_fields_are_dropped() -> None:
    """An owner may add attributes and fields without a new version."""
    data = {**cloud_event()["data"], "added_later": 1}
    assert one(batch(cloud_event(data=data, added="later"))) == one(batch(cloud_event()))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\x00", "not JSON"),
        (b"[{}", "not JSON"),
        (b"[NaN]", "not JSON"),
        (b"[" * 2_000 + b"]" * 2_000, "not JSON"),
        (b"[" * 300 + b"]" * 300, "TypeError"),
        (b"{}", "not a CloudEvents batch"),
        (b"null", "not a CloudEvents batch"),
        (b"[]", "not a CloudEvents batch"),
        (orjson.dumps([1] * (MESSAGE_MAX_EVENTS + 1)), f"more than {MESSAGE_MAX_EVENTS} events"),
        (batch("text"), "TypeError"),
        (batch(None), "TypeError"),
        (batch([1]), "TypeError"),
        (batch({}), "no 'specversion'"),
        (batch(cloud_event(specversion="0.3")), "specversion '0.3'"),
        (batch(cloud_event(type=...)), "no 'type'"),
        (batch(cloud_event(type={})), "TypeError"),
        (batch(cloud_event(type="order.sung.v1")), "type 'order.sung.v1' is not known here"),
        (batch(cloud_event(type="order.cancelled.v2")), "type 'order.cancelled.v2' is not known here"),
        (batch(cloud_event(type="order.placed.v1")), "type 'order.placed.v1' is not known here"),
        (batch(cloud_event(type="order.cancellation_requested.v1")), "is not known here"),
        (batch(cloud_event(id=...)), "no 'id'"),
        (batch(cloud_event(id="one")), "not an event of ours: ValueError"),
        (batch(cloud_event(id=1)), "AttributeError"),
        (batch(cloud_event(id=None)), "TypeError"),
        (batch(cloud_event(correlationid=...)), "no 'correlationid'"),
        (batch(cloud_event(causationid="x")), "ValueError"),
        (batch(cloud_event(time="tomorrow")), "ValueError"),
        (batch(cloud_event(time=7)), "TypeError"),
        (batch(cloud_event(data=...)), "no 'data'"),
        (batch(cloud_event(data=[])), "wrong fields: "),
        (batch(cloud_event(data={})), "wrong fields: order_id, reason, email"),
        (batch(cloud_event(data={**cloud_event()["data"], "reason": "boredom"})), "wrong fields: reason"),
    ],
)
def test_bad_input(body: bytes, why: str) -> None:
    """Each kind of bad input says what is wrong with it."""
    assert why in reason(body)


def test_neighbours_stand() -> None:
    """What cannot be read is set aside in its place; the rest is read."""
    first, second, third = decode(batch(cloud_event(), cloud_event(id="one"), cloud_event()), NAME)
    assert isinstance(first, Envelope)
    assert first == third
    assert isinstance(second, Unreadable)


def test_apart() -> None:
    """An event leaves its batch as a batch of one, which is read as it was."""
    first, second = cloud_event(), cloud_event(id=str(ORDER))
    body = batch(first, second)
    (alone,) = apart(body, [1])
    assert orjson.loads(alone) == [second]
    assert decode(alone, NAME) == decode(body, NAME)[1:]


@pytest.mark.parametrize("body", [b"", b"\xff", b"{}", b"7", b"null", b"[]", b"[" * 300 + b"]" * 300])
def test_what_cannot_be_taken_apart(body: bytes) -> None:
    """A body that is no batch, or whose parts cannot be written again, is kept whole."""
    assert apart(body, [0]) == [body]


@SOME
@given(st.binary(max_size=100) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes(body: bytes) -> None:
    """Whatever bytes come, they are set aside as they are, and nothing is raised."""
    assert all(isinstance(read, Unreadable) for read in decode(body, NAME))


@SOME
@given(JSON)
def test_any_json(value: Any) -> None:
    """Whatever JSON comes, each of its parts is set aside, and nothing is raised."""
    body = orjson.dumps(value)
    reads = decode(body, NAME)
    assert len(reads) == (len(value) if isinstance(value, list) and value else 1)
    assert all(isinstance(read, Unreadable) for read in reads)
    if isinstance(value, list) and value:
        assert [orjson.loads(alone) for alone in apart(body, range(len(reads)))] == [
            [part] for part in orjson.loads(body)
        ]


@SOME
@given(st.sampled_from(sorted({*cloud_event(), "causationid"})), JSON | st.just(...))
def test_any_attribute(name: str, value: Any) -> None:
    """Whatever stands in one attribute, the event is read or set aside, its neighbour is read, no data is told."""
    broken = cloud_event(**{name: value})
    read, neighbour = decode(batch(broken, cloud_event()), NAME)
    assert (read, neighbour) == _one_by_one(batch(broken, cloud_event()), NAME)
    assert isinstance(neighbour, Envelope)
    assert isinstance(read, Envelope) or "anna@example.com" not in read.reason


@SOME
@given(st.sampled_from(["order_id", "reason", "email"]), JSON)
def test_any_field(name: str, value: Any) -> None:
    """Whatever stands in one field of the data, the reason names the field and never a value."""
    data = {**cloud_event()["data"], "email": SECRET, name: value}
    read = one(batch(cloud_event(data=data)))
    if isinstance(read, Unreadable):
        assert read.reason == f"wrong fields: {name}"


@pytest.mark.parametrize("where", ["order_id", "reason", "email"])
def test_personal_data_in_the_wrong_place(where: str) -> None:
    """A value that ended up in another field is not told either."""
    data = {**cloud_event()["data"], where: [SECRET]}
    assert reason(batch(cloud_event(data=data))) == f"wrong fields: {where}"
