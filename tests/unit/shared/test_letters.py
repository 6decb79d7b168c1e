"""Dead letters: whatever lies in the dead-letter queue becomes letters, each kept once."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import services.payment.reactions  # noqa: F401 - the vocabulary that a running service has imported
from shared.envelope import BEGINNING_MAX_BYTES, MESSAGE_MAX_BYTES, beginning
from shared.letters import BROKER, TEXT_MAX_CHARACTERS, bare_letter, letters_of
from tests.unit.shared.wire import batch, cloud_event

NOW = datetime(2026, 1, 2, tzinfo=UTC)
LANE = "payment.order.cancelled"
HEADERS: dict[str, Any] = {
    "quartet-lane": LANE,
    "quartet-attempts": 4,
    "quartet-error-class": "ValueError",
    "quartet-reason": "ValueError: no",
    "quartet-first-failed-at": "2026-01-01T00:00:00+00:00",
    "quartet-last-failed-at": "2026-01-01T00:01:00+00:00",
}
DEEP = b"[" * 1000 + b"]" * 1000
"""Deeper than can be written again, or shown."""


@pytest.mark.parametrize("headers", [HEADERS, {}], ids=["of ours", "of the broker"])
def test_what_is_too_large_is_kept_with_its_beginning(headers: dict[str, Any]) -> None:
    """Each by itself, though they begin alike; and as it was set aside with its beginning, it is the same letter."""
    bodies = [batch(cloud_event()) + b" " * MESSAGE_MAX_BYTES + end for end in (b"", b" ")]
    kept = [letters_of(body, headers, NOW) for body in bodies]
    assert [len(letters) for letters in kept] == [1, 1]
    assert kept[0][0].letter_id != kept[1][0].letter_id
    assert all(len(letters[0].body) < 2 * BEGINNING_MAX_BYTES for letters in kept)
    assert letters_of(beginning(bodies[0]), headers, NOW) == kept[0]
    assert bare_letter(bodies[0], headers, "why", NOW).letter_id == kept[0][0].letter_id
    assert kept[0][0].event_id is None


def test_what_a_service_set_aside() -> None:
    """Its headers say where it was, why it is here, how often it was tried, and when."""
    event = cloud_event()
    (letter,) = letters_of(batch(event), HEADERS, NOW)
    assert (letter.lane, letter.type, letter.attempts) == (LANE, "order.cancelled.v1", 4)
    assert (letter.event_id, letter.correlation_id) == (UUID(event["id"]), UUID(event["correlationid"]))
    assert (letter.error_class, letter.reason) == ("ValueError", "ValueError: no")
    assert letter.first_failed_at < letter.last_failed_at < NOW


def test_what_the_broker_set_aside() -> None:
    """A message that was delivered too often comes whole, and says in the broker's own words where it was."""
    other = cloud_event(id="0190d1a5-0000-7000-8000-0000000000bb")
    headers = {"x-death": [{"queue": LANE, "reason": "delivery_limit"}], "x-delivery-count": 51}
    one, two = letters_of(batch(cloud_event(), other), headers, NOW)
    assert {one.lane, two.lane} == {LANE}
    assert (one.error_class, one.first_failed_at) == (BROKER, NOW)
    assert orjson.loads(two.body) == [other]
    assert one.letter_id != two.letter_id


def test_the_same_letter_twice_is_one() -> None:
    """Its name is its lane and its content, whatever else changed."""
    (one,), (again,) = (letters_of(batch(cloud_event()), HEADERS | {"quartet-attempts": n}, NOW) for n in (1, 2))
    assert one.letter_id == again.letter_id
    (elsewhere,) = letters_of(batch(cloud_event()), HEADERS | {"quartet-lane": "payment.order.placed"}, NOW)
    assert elsewhere.letter_id != one.letter_id


def test_what_cannot_be_taken_apart_is_one_letter() -> None:
    """However many parts it has: a letter of the whole for each of them would be more than anything can hold."""
    body = b"[" + b",".join([DEEP] * 3) + b"]"
    (letter,) = letters_of(body, HEADERS, NOW)
    assert letter.body == body


def test_a_letter_of_several_events_has_the_id_of_none() -> None:
    """Or to replay or drop it would bury or free one of them, and not the others."""
    event, deep = cloud_event(), orjson.dumps(cloud_event())[:-1] + b',"x":' + DEEP + b"}"
    letters = letters_of(b"[" + orjson.dumps(event) + b"," + deep + b"]", HEADERS, NOW)
    assert [letter.event_id for letter in letters] == [UUID(event["id"]), None]


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "yesterday", "2026-01-01"])
def test_a_time_that_nothing_can_hold(at: str) -> None:
    """A header is a stranger's word; the table has a time all the same."""
    (letter,) = letters_of(batch(cloud_event()), HEADERS | {"quartet-first-failed-at": at}, NOW)
    assert letter.first_failed_at == letter.last_failed_at


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (b"\xff not JSON", None),
        (b"{}", None),
        (b"[]", None),
        (b"[" * 1000 + b"]" * 1000, None),
        (b'[{"specversion":' + DEEP + b"}]", None),
        (batch(cloud_event(type="order.cancelled.v9")), "order.cancelled.v9"),
        (batch(cloud_event(data={})), "order.cancelled.v1"),
    ],
)
def test_what_cannot_be_read_is_kept_as_it_is(body: bytes, type_: str | None) -> None:
    """No inbox knows it: it has no id that could be trusted."""
    (letter,) = letters_of(body, HEADERS, NOW)
    assert (letter.event_id, letter.correlation_id, letter.type) == (None, None, type_)
    assert letter.body == body


JSON = st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))


@given(
    st.binary() | JSON.map(json.dumps).map(str.encode),
    st.dictionaries(
        st.sampled_from([*HEADERS, "x-death"]),
        st.none() | st.text() | st.integers() | st.lists(st.dictionaries(st.just("queue"), st.text() | st.none())),
    ),
)
def test_nothing_in_a_letter_is_trusted(body: bytes, headers: dict[str, Any]) -> None:
    """Any body with any headers is at least one letter, and PostgreSQL can hold it."""
    letters = letters_of(body, headers, NOW)
    assert letters
    for letter in letters:
        for text in (letter.lane, letter.reason, letter.error_class, letter.type or ""):
            assert "\0" not in text
            assert len(text.encode()) <= 4 * TEXT_MAX_CHARACTERS
        assert 0 < letter.attempts < 2**31
        assert letter.first_failed_at.tzinfo is not None
