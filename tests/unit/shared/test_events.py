"""Event classes: named once, frozen, and silent about who somebody is."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from shared.envelope import Envelope
from shared.event import VOCABULARY, Event
from shared.outcome import Intent
from shared.vocabulary.order import OrderCancelled
from tests.unit.shared.generated import FEW, instances
from tests.unit.shared.wire import CAUSE, EVENTS, ORDER, TABLES

INTENTS = [intent for table in TABLES for row in table for intent in row.intends]
SECRETIVE_NAMES = ("email", "token", "address", "phone", "password", "card")
SECRET = "s3cr3t-of-anna"


def hidden(model: type[BaseModel]) -> list[str]:
    """Give the fields that are marked as personal data or as a secret."""
    marks = {"x-personal-data", "x-secret"}
    return [
        name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and marks & field.json_schema_extra.keys()
    ]


HIDING = [model for model in (*EVENTS, *INTENTS) if hidden(model)]


def test_some_events_hide_something() -> None:
    """The tests below are about something."""
    assert {"order.placed", "order.confirmed", "order.cancelled"} <= {
        model.kind.name for model in HIDING if issubclass(model, Event)
    }


@pytest.mark.parametrize("model", [*EVENTS, *INTENTS], ids=lambda model: model.__name__)
def test_what_sounds_secretive_is_marked(model: type[Event] | type[Intent]) -> None:
    """A field whose name promises personal data or a secret is marked as such."""
    promising = {name for name in model.model_fields if any(part in name for part in SECRETIVE_NAMES)}
    assert promising <= set(hidden(model))


@FEW
@given(st.data())
@pytest.mark.parametrize("model", HIDING, ids=lambda model: model.__name__)
def test_hidden_in_every_text(model: type[Event] | type[Intent], data: st.DataObject) -> None:
    """A marked value stands in no text of its event or intent, nor of the envelope around it."""
    secrets: dict[str, Any] = dict.fromkeys(hidden(model), SECRET)
    bare = data.draw(instances(model)).model_copy(update=secrets)
    texts = [repr(bare), str(bare), f"{bare}", repr([bare])]
    if isinstance(bare, Event):
        texts.append(repr(Envelope(CAUSE, bare, ORDER)))
    assert not any(SECRET in text for text in texts)
    assert SECRET in bare.model_dump_json()


@pytest.mark.parametrize("model", HIDING, ids=lambda model: model.__name__)
def test_hidden_in_errors(model: type[Event] | type[Intent]) -> None:
    """The error of one that cannot be made, which is logged, quotes nothing of what it was made from."""
    with pytest.raises(ValidationError) as raised:
        model.model_validate({name: [SECRET] for name in model.model_fields})
    assert SECRET not in str(raised.value)
    with pytest.raises(ValidationError) as raised:
        model.model_validate_json('{"order_id": "' + SECRET + '"}')
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("model", HIDING, ids=lambda model: model.__name__)
def test_marked_in_the_schema(model: type[Event] | type[Intent]) -> None:
    """Who reads the schema sees the mark."""
    properties = model.model_json_schema()["properties"]
    assert all({"x-personal-data", "x-secret"} & properties[name].keys() for name in hidden(model))


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_types_are_versioned(event: type[Event]) -> None:
    """The type is the name with its version, and the vocabulary knows the class by it."""
    assert event.kind.type == f"{event.kind.name}.v{event.kind.version}"
    assert VOCABULARY[event.kind.type] is event


def test_a_type_is_claimed_once() -> None:
    """A second class of the same type is refused, and the first stays."""
    with pytest.raises(ValueError, match=r"two classes claim the event type order\.cancelled\.v1"):
        type("Again", (Event,), {}, name="order.cancelled", owner="order")
    assert VOCABULARY["order.cancelled.v1"] is OrderCancelled


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_facts_do_not_change(event: type[Event]) -> None:
    """An event is frozen."""
    made = event.model_construct(order_id=ORDER)
    with pytest.raises(ValidationError, match="frozen"):
        made.order_id = CAUSE  # type: ignore[attr-defined]  # that it is refused is the point
