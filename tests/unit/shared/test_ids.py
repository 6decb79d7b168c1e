"""Event ids: time-ordered at the root, derived from their cause everywhere else."""

import time
from uuid import RFC_4122, UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ids import derived_id, new_id, plain_id, stream_id
from tests.unit.shared.generated import SOME

PARTS = st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1f")), min_size=1, max_size=3)
"""The unit separator stands between the parts, so no part holds one."""


class DriversUuid(UUID):
    """As a database driver has one of its own."""


def time_ms(value: UUID) -> int:
    return value.int >> 80


def test_new_ids_are_uuids_of_version_7() -> None:
    """Version and variant are where RFC 9562, section 5.7, wants them, and the first 48 bits are the time."""
    before_ms = time.time_ns() // 1_000_000
    value = new_id()
    assert value.version == 7
    assert value.variant == RFC_4122
    assert before_ms <= time_ms(value) <= time.time_ns() // 1_000_000


def test_new_ids_differ() -> None:
    """Within one millisecond too."""
    assert len({new_id() for _ in range(1_000)}) == 1_000


@SOME
@given(st.uuids(), PARTS)
def test_derived_ids_are_uuids_of_version_7(cause: UUID, parts: list[str]) -> None:
    """Whatever the cause, what follows from it has the layout of a version 7 and the cause's time."""
    value = derived_id(cause, *parts)
    assert value.version == 7
    assert value.variant == RFC_4122
    assert time_ms(value) == time_ms(cause)


@SOME
@given(st.uuids(), PARTS)
def test_derived_ids_are_told_not_drawn(cause: UUID, parts: list[str]) -> None:
    """A reaction that ran twice names the same event twice."""
    assert derived_id(cause, *parts) == derived_id(UUID(str(cause)), *parts)


@SOME
@given(st.uuids(), PARTS, PARTS)
def test_different_parts_differ(cause: UUID, one: list[str], other: list[str]) -> None:
    """Two consequences of one cause have two ids, also where their parts run together to the same text."""
    assert (derived_id(cause, *one) == derived_id(cause, *other)) is (one == other)


def test_parts_do_not_run_together() -> None:
    """The same letters, divided otherwise, are other parts."""
    divided = (("ab", "c"), ("a", "bc"), ("abc",), ("abc", ""), ("", "abc"), ("a", "b", "c"))
    assert len({derived_id(UUID(int=1), *parts) for parts in divided}) == len(divided)


@SOME
@given(st.uuids(), st.uuids(), PARTS)
def test_different_causes_differ(one: UUID, other: UUID, parts: list[str]) -> None:
    """Two causes of the same lead to two ids, also within the same millisecond."""
    other = UUID(int=(one.int >> 80 << 80) | (other.int & (1 << 80) - 1))
    assert (derived_id(one, *parts) == derived_id(other, *parts)) is (one == other)


def test_what_follows_is_not_its_cause() -> None:
    """A chain of causes never names one event twice."""
    chain = [new_id()]
    for _ in range(100):
        chain.append(derived_id(chain[-1], "order.placed.v1", "1"))
    assert len(set(chain)) == len(chain)


def test_streams() -> None:
    """A stream without an id of its own has always the same, by its kind and key."""
    assert stream_id("stock", "mug") == stream_id("stock", "mug")
    assert len({stream_id("stock", "mug"), stream_id("stock", "pen"), stream_id("other", "mug")}) == 3


def test_plain_id_writes_a_drivers_uuid() -> None:
    """orjson knows the standard library's UUID alone; a driver's is written as text like it."""
    value = DriversUuid(int=7)
    with pytest.raises(TypeError):
        orjson.dumps(value)
    assert orjson.dumps(value, default=plain_id) == orjson.dumps(UUID(int=7))


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", 1j])
def test_plain_id_writes_nothing_else(value: object) -> None:
    """What cannot be written is refused, never turned into some text."""
    with pytest.raises(TypeError, match=type(value).__name__):
        plain_id(value)
