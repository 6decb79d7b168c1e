"""Packs: what one commit caused, in as few messages as the bounds allow."""

from itertools import groupby, pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.envelope import Logged
from shared.relay import RelayLimits, packed
from tests.unit.shared.generated import SOME
from tests.unit.shared.wire import entry

LIMITS = RelayLimits(pack_max_events=4, pack_max_bytes=100)


@st.composite
def unsent(draw: st.DrawFn) -> list[Logged]:
    """Draw a few types and sizes, in any order; some are bigger than a whole pack may be."""
    drawn = draw(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from([2, 20, 45, 130])), max_size=20))
    return [entry(UUID(int=n), f"{kind}.v1", b"x" * size) for n, (kind, size) in enumerate(drawn)]


@pytest.mark.parametrize(
    ("sizes", "packs"),
    [
        ([], []),
        ([2], [1]),
        ([2] * 4, [4]),
        ([2] * 9, [4, 4, 1]),
        ([50, 50], [2]),
        ([50, 51], [1, 1]),
        ([45, 45, 45], [2, 1]),
        ([130], [1]),
        ([2, 130, 2, 2], [1, 1, 2]),
    ],
)
def test_bounds(sizes: list[int], packs: list[int]) -> None:
    """So many events and bytes go into a pack and no more; an event that is bigger than a pack goes alone."""
    events = [entry(UUID(int=number), payload=b"x" * size) for number, size in enumerate(sizes)]
    assert [len(pack) for pack in packed(events, LIMITS)] == packs


@SOME
@given(unsent())
def test_packs(events: list[Logged]) -> None:
    """A pack is never empty, never too many, too big only where one event is, and ends only where it must."""
    for _, of_a_type in groupby(packed(events, LIMITS), key=lambda pack: pack[0].type):
        packs = list(of_a_type)
        for pack in packs:
            assert 1 <= len(pack) <= LIMITS.pack_max_events
            assert sum(len(each.payload) for each in pack) <= LIMITS.pack_max_bytes or len(pack) == 1
        for one, following in pairwise(packs):
            size_bytes = sum(len(each.payload) for each in one) + len(following[0].payload)
            assert len(one) == LIMITS.pack_max_events or size_bytes > LIMITS.pack_max_bytes


@SOME
@given(unsent())
def test_nothing_is_lost_and_the_order_is_kept(events: list[Logged]) -> None:
    """The packs of a type, one after another, are its events as they came; each pack is of one type."""
    packs = list(packed(events, LIMITS))
    assert all(len({each.type for each in pack}) == 1 for pack in packs)
    for kind in {each.type for each in events}:
        sent = [each for pack in packs for each in pack if each.type == kind]
        assert sent == [each for each in events if each.type == kind]
    assert sum(map(len, packs)) == len(events)
