"""Transactions that overlap, row by row: no promise breaks, and without the safeguards of that kind each does."""

import pytest

from tests.simulation.overlap.explore import explore
from tests.simulation.overlap.meeting import FIRST, SECOND, Meeting
from tests.simulation.overlap.transactions import Kind
from tests.simulation.overlap.worlds import ASKED, LAST, OPPOSITE, OVERLAPS, READ, VERDICT, Overlap

STATES_MIN = {"last": 50, "opposite": 18, "read": 150, "verdict": 35, "asked": 50}
"""Fewer were not everywhere."""
IF_ONE_DIES = {"last": 600, "opposite": 300, "read": 3_000, "verdict": 300, "asked": 350}


def one_after_the_other(overlap: Overlap, who: str) -> int:
    """Let one have done everything before the other does anything, and say what they leave."""
    meeting = Meeting(overlap)
    while choices := meeting.choices():
        meeting.take(next((each for each in choices if each.who == who), choices[0]))
    return meeting.schema.tables.key


@pytest.mark.parametrize("name", OVERLAPS)
def test_whoever_is_in_the_middle_of_what(name: str) -> None:
    """What the two leave is what they would leave one after the other, and no promise breaks on the way."""
    explored = explore(OVERLAPS[name])
    assert explored.breaks == []
    assert explored.states >= STATES_MIN[name]
    assert explored.ends == {one_after_the_other(OVERLAPS[name], who) for who in (FIRST, SECOND)}


@pytest.mark.parametrize("name", OVERLAPS)
def test_whoever_dies_in_the_middle_of_it(name: str) -> None:
    """Its transaction is gone, whoever waited for it goes on, and the same comes to it again."""
    explored = explore(OVERLAPS[name], crashes=1)
    assert explored.breaks == []
    assert explored.states >= IF_ONE_DIES[name]


@pytest.mark.parametrize(
    ("overlap", "removed", "rule"),
    [
        (OPPOSITE, ("sorted locks",), "takes-turns"),
        (LAST, ("row locks", "version guard"), "stock-held"),
        (READ, ("feed horizon",), "seen"),
        (READ, ("feed by transaction",), "seen"),
        (OPPOSITE, ("inbox",), "caused"),
    ],
)
def test_without_it_a_promise_breaks(overlap: Overlap, removed: tuple[str, ...], rule: str) -> None:
    """Each of the safeguards is needed, and its promise is the one that breaks."""
    assert rule in {each.rule for each in explore(overlap, removed).breaks}


@pytest.mark.parametrize("overlap", [LAST, VERDICT, ASKED], ids=lambda one: one.name)
def test_a_lock_or_a_version_is_enough(overlap: Overlap) -> None:
    """With locks nobody ever finds another version; with versions alone whoever does runs again."""
    locked, versioned = explore(overlap, ("version guard",)), explore(overlap, ("row locks",))
    assert locked.breaks == versioned.breaks == []
    assert locked.ends == versioned.ends == explore(overlap).ends


def test_a_conflict_is_met() -> None:
    """Who has read without a lock what another writes begins anew."""
    meeting = Meeting(LAST, ("row locks",))
    for who in (FIRST, SECOND):
        while (step := meeting.replicas[who].next) is not None and step.kind in (Kind.RECEIVE, Kind.READ):
            meeting.take(next(each for each in meeting.choices() if each.who == who))
    begun = dict.fromkeys((FIRST, SECOND), 1)
    while choices := meeting.choices():
        meeting.take(choices[0])
        begun[choices[0].who] += choices[0].step is not None and choices[0].step.kind is Kind.RECEIVE
    assert begun == {FIRST: 1, SECOND: 2}


def test_who_waits_is_passed_over() -> None:
    """Whoever wants a row that another holds has no turn until that one is through."""
    meeting = Meeting(LAST)
    for who in (FIRST, FIRST, SECOND):
        meeting.take(next(each for each in meeting.choices() if each.who == who))
    while meeting.replicas[FIRST].next is not None:
        assert {each.who for each in meeting.choices()} == {FIRST}
        meeting.take(meeting.choices()[0])
    assert {each.who for each in meeting.choices()} == {SECOND}
