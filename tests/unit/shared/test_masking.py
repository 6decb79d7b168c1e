"""What was set aside is shown without what is personal or secret in it."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.envelope import encode
from shared.event import Event
from shared.masking import MARKS, MASK, SHOWN_MAX_CHARACTERS, masked, masked_data
from tests.unit.shared.generated import FEW, instances
from tests.unit.shared.test_letters import JSON
from tests.unit.shared.wire import PUBLIC, batch, cloud_event, logged

NAME = "order.cancelled"
PRIVATE = "anna-4111111111111111"


def shown(body: bytes, name: str = NAME) -> Any:
    """Read what is shown of a batch of one."""
    (event,) = orjson.loads(masked(body, name))
    return event


def marked(event: type[Event]) -> dict[str, str]:
    """Give a value for each field of an event that is marked."""
    properties = event.model_json_schema()["properties"]
    return {name: PRIVATE for name, field in properties.items() if any(field.get(mark) for mark in MARKS)}


def test_there_is_something_to_hide() -> None:
    """Or the next test would say nothing."""
    assert sum(len(marked(event)) for event in PUBLIC) >= 3


@pytest.mark.parametrize("event", PUBLIC, ids=lambda event: event.kind.name)
@given(data=st.data())
@FEW
def test_what_is_marked_is_hidden_and_all_else_is_shown(event: type[Event], data: st.DataObject) -> None:
    """Of every public event."""
    values = marked(event)
    made = data.draw(instances(event)).model_copy(update=values)
    text = masked(encode([logged(made)]), event.kind.name)
    assert PRIVATE not in text
    if len(text) < SHOWN_MAX_CHARACTERS:
        plain = orjson.loads(made.model_dump_json())
        assert orjson.loads(text)[0]["data"] == plain | dict.fromkeys(values, MASK)


@pytest.mark.parametrize("event", PUBLIC, ids=lambda event: event.kind.name)
@given(data=st.data())
@FEW
def test_so_it_is_with_its_data_alone(event: type[Event], data: st.DataObject) -> None:
    """As the log holds them."""
    values = marked(event)
    plain = orjson.loads(data.draw(instances(event)).model_copy(update=values).model_dump_json())
    assert masked_data(event.kind.type, plain) == plain | dict.fromkeys(values, MASK)
    assert masked_data("order.placed.v99", {"a": [PRIVATE]}) == {"a": [MASK]}


def test_a_field_that_no_schema_knows_is_hidden() -> None:
    """Nobody can say what is in it: in the event, in its envelope, or deeper."""
    data = {**cloud_event()["data"], "telephone": PRIVATE, "more": [{"card": PRIVATE}, 4111]}
    event = shown(batch(cloud_event(data=data, telephone=PRIVATE, source={"card": PRIVATE})))
    assert event["data"]["telephone"] == event["telephone"] == event["source"]["card"] == MASK
    assert event["data"]["more"] == [{"card": MASK}, MASK]
    assert event["data"]["reason"] == "out_of_stock"


@pytest.mark.parametrize(
    "changes", [{"type": "order.cancelled.v9"}, {"data": {"email": PRIVATE, "card": 4111}}, {"data": PRIVATE}], ids=str
)
def test_of_what_cannot_be_read_only_the_envelope_is_shown(changes: dict[str, Any]) -> None:
    """Whatever its data are."""
    event = cloud_event(**changes)
    seen = shown(batch(event))
    assert (seen["type"], seen["id"]) == (event["type"], event["id"])
    assert set(seen["data"].values() if isinstance(seen["data"], dict) else [seen["data"]]) == {MASK}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'[{"email": "anna@example.org", "card": 4111', '[{"xxxxx": "xxxx@xxxxxxx.xxx", "xxxx": 9999'),
        (b'{"email": "anna"}', '{"email":"•••"}'),
        (b'["anna", 4111, null]', '["•••","•••",null]'),
        (b'"anna"', '"•••"'),
        ("[{'name': 'Zoë'}]\xff".encode("latin-1"), "[{'xxxx': 'xx�'}]�"),
    ],
)
def test_of_what_is_no_batch_only_the_shape_is_shown(body: bytes, expected: str) -> None:
    """Whether it is JSON or not."""
    assert masked(body, NAME) == expected


def test_no_more_is_shown_than_a_screen_holds() -> None:
    """However big the body is, and however deep."""
    assert len(masked(b"x" * 10_000, NAME)) == SHOWN_MAX_CHARACTERS
    assert len(masked(batch(*[cloud_event()] * 100), NAME)) == SHOWN_MAX_CHARACTERS
    assert masked(b"[" * 900 + b"]" * 900, NAME).count("[") < 900


@given(st.binary() | JSON.map(json.dumps).map(str.encode))
def test_whatever_it_is_it_can_be_shown(body: bytes) -> None:
    """Nothing in a letter is trusted."""
    assert len(masked(body, NAME)) <= SHOWN_MAX_CHARACTERS
