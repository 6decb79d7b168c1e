"""Transactions that overlap, row by row: no promise breaks, and without the safeguards of that kind each does."""

from collections.abc import Iterable

import pytest

from tests.simulation.overlap.explore import explore
from tests.simulation.overlap.meeting import FIRST, READER, SECOND, Choice, Meeting, one_after_the_other
from tests.simulation.overlap.schema import SharedSchema
from tests.simulation.overlap.story import sentence, waiting
from tests.simulation.overlap.transactions import Kind
from tests.simulation.overlap.worlds import (
    ASKED,
    LAST,
    LONG,
    OPPOSITE,
    OVERLAPS,
    PAGES,
    READ,
    RELEASED,
    VERDICT,
    Overlap,
)
from tests.simulation.process import Handed
from tests.simulation.tables import Tables

STATES = {
    "last": 111, "released": 141, "crossed": 158, "opposite": 33, "read": 539, "pages": 1_066, "verdict": 118,
    "asked": 288,
}  # fmt: skip
IF_ONE_DIES = {
    "last": 2_843, "released": 3_561, "crossed": 4_507, "opposite": 2_059, "verdict": 2_472, "asked": 2_860,
}  # fmt: skip
"""As many as `docs/simulation.md` says."""
NEEDED = (
    (OPPOSITE, ("sorted locks",), "takes-turns"),
    (OPPOSITE, ("inbox",), "caused"),
    (LAST, ("row locks", "version guard"), "stock-held"),
    (RELEASED, ("row locks",), "refused"),
    (READ, ("feed horizon",), "seen"),
    (READ, ("feed by transaction",), "seen"),
    (PAGES, ("feed horizon",), "seen"),
    (PAGES, ("feed by transaction",), "seen"),
    (VERDICT, ("row locks", "version guard", "unique versions"), "gapless"),
    (ASKED, ("one answer",), "ordered-once"),
)
"""What is taken away, and which promise breaks then."""


@pytest.mark.parametrize("name", STATES)
def test_whoever_is_in_the_middle_of_what(name: str) -> None:
    """No promise breaks on the way, and what the two leave is what they would leave one after the other."""
    explored = explore(OVERLAPS[name])
    assert explored.breaks == []
    assert explored.states == STATES[name]
    assert explored.ends == one_after_the_other(OVERLAPS[name])


@pytest.mark.parametrize("name", IF_ONE_DIES)
def test_whoever_dies_in_the_middle_of_it(name: str) -> None:
    """Its transaction is gone, whoever waited for it goes on, and the same comes to it again: also after the commit."""
    explored = explore(OVERLAPS[name], crashes=1)
    assert explored.breaks == []
    assert explored.states == IF_ONE_DIES[name]
    assert explored.ends == one_after_the_other(OVERLAPS[name], 1)


@pytest.mark.parametrize(("overlap", "removed", "rule"), NEEDED)
def test_without_it_a_promise_breaks(overlap: Overlap, removed: tuple[str, ...], rule: str) -> None:
    """Each of the safeguards is needed, and its promise is the one that breaks."""
    assert rule in {each.rule for each in explore(overlap, removed).breaks}


@pytest.mark.parametrize(
    ("overlap", "removed"),
    [
        (LAST, ("row locks",)),
        (LAST, ("version guard",)),
        (RELEASED, ("version guard",)),
        (VERDICT, ("row locks", "version guard")),
        (VERDICT, ("unique versions",)),
    ],
)
def test_some_do_each_others_work(overlap: Overlap, removed: tuple[str, ...]) -> None:
    """Nothing is written over where rows are locked, or versions told; in a log each version is there once, besides."""
    explored = explore(overlap, removed)
    assert explored.breaks == []
    assert explored.ends == one_after_the_other(overlap)


def test_every_safeguard_is_switched_off_somewhere() -> None:
    """What a world says that it needs is taken away by a test here; in the longest, that takes a minute each."""
    for overlap in OVERLAPS.values():
        removed = {name for where, names, _ in NEEDED for name in names if where is overlap}
        assert removed == overlap.safeguards or (overlap is LONG and overlap.safeguards == READ.safeguards)


def go(meeting: Meeting, *whose: str) -> None:
    """Let them have their turns in that order."""
    for who in whose:
        meeting.go(next(each for each in meeting.choices() if each.who == who))


def through(meeting: Meeting, who: str) -> None:
    """Let one go on until it is through."""
    while meeting.replicas[who].next is not None:
        go(meeting, who)


def test_a_conflict_is_met_at_the_row() -> None:
    """Who has read without a lock what another writes begins anew, before it has logged anything."""
    meeting = Meeting(LAST, ("row locks",))
    go(meeting, FIRST, FIRST, SECOND, SECOND)
    through(meeting, FIRST)
    through(meeting, SECOND)
    assert meeting.conflicts == 1
    assert [place.position for place in meeting.schema.taken] == [1, 2]


def test_who_waits_is_passed_over() -> None:
    """Whoever wants a row that another holds has no turn until that one has committed, and is told of by name."""
    meeting = Meeting(LAST)
    go(meeting, FIRST, FIRST, SECOND)
    assert [*waiting(meeting)] == ["The second replica waits for the stock of violin, which the first holds."]
    while meeting.at_work[FIRST].kind is not Kind.TELL:
        assert {each.who for each in meeting.choices()} == {FIRST}
        go(meeting, FIRST)
    assert {each.who for each in meeting.choices()} == {FIRST, SECOND}


@pytest.mark.parametrize(
    ("overlap", "removed", "turns", "told"),
    [
        (OPPOSITE, (), (FIRST,), "the place of order.placed of order 1 in the inbox"),
        (ASKED, (), (FIRST,) * 5 + (SECOND,) * 4, "the answer to “place 1”"),
        (VERDICT, ("row locks",), (FIRST,) * 3 + (SECOND,) * 3, "the row of order 1"),
    ],
)
def test_what_is_waited_for_is_named(
    overlap: Overlap, removed: tuple[str, ...], turns: tuple[str, ...], told: str
) -> None:
    """In every table."""
    meeting = Meeting(overlap, removed)
    go(meeting, *turns)
    assert [*waiting(meeting)] == [f"The second replica waits for {told}, which the first holds."]


@pytest.mark.parametrize(
    ("overlap", "turns", "told"),
    [
        (LAST, 0, "dies before it has begun. It is started again, and what it had not acked comes anew."),
        (LAST, 1, "dies, and its transaction with it. It is started again, and what it had not acked comes anew."),
        (LAST, 5, "dies right after the commit. It is started again, and what it had not acked comes anew."),
        (ASKED, 1, "dies, and its transaction with it. It is started again, and the customer asks again."),
    ],
)
def test_in_what_a_replica_dies_is_told(overlap: Overlap, turns: int, told: str) -> None:
    """What is committed stays, and who asked asks again."""
    meeting = Meeting(overlap, crashes=1)
    go(meeting, *[FIRST] * turns)
    assert sentence(meeting, Choice(FIRST)) == f"The first replica {told}"


def test_a_transaction_begins_once() -> None:
    """Also where its first row is there already."""
    meeting = Meeting(OPPOSITE)
    through(meeting, FIRST)
    told = [sentence(meeting, meeting.choices()[0])]
    go(meeting, SECOND)
    told.append(sentence(meeting, meeting.choices()[0]))
    assert ["begins a transaction" in each for each in told] == [True, False]
    assert ["finds order.placed of order" in each for each in told] == [True, True]


def test_what_the_inbox_has_already_nobody_waits_for() -> None:
    """A row that is committed is found, and not locked: messages that come again cannot stop each other."""
    meeting = Meeting(OPPOSITE)
    through(meeting, FIRST)
    meeting = Meeting(_again(OPPOSITE, meeting), ("sorted locks",))
    go(meeting, FIRST, SECOND)
    assert meeting.schema.running == {}
    through(meeting, FIRST)
    through(meeting, SECOND)


def _again(overlap: Overlap, done: Meeting) -> Overlap:
    """Give a world in which what was done comes once more."""
    world = overlap.world._replace(tables={**overlap.world.tables, done.service: done.schema.tables})
    return Overlap("again", overlap.about, lambda: world, lambda _: overlap.actions, overlap.safeguards)


def test_who_acks_nothing_is_not_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that is never acked is a promise that breaks."""

    async def forget(_: Handed) -> None:
        return

    monkeypatch.setattr(Handed, "ack", forget)
    assert {each.rule for each in explore(LAST).breaks} == {"through"}


def test_what_is_left_has_to_be_what_comes_of_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not, a promise breaks."""
    meeting = "tests.simulation.overlap.meeting.one_after_the_other"
    monkeypatch.setattr(meeting, lambda *_: frozenset())
    assert {each.rule for each in explore(LAST).breaks} == {"serial"}


def test_a_position_is_taken_for_good() -> None:
    """What is rolled back leaves a gap."""
    schema = SharedSchema(Tables())
    schema.place(gone := schema.begin(FIRST))
    schema.end(gone)
    assert schema.place(schema.begin(SECOND)).position == 2
    schema.count_intents(2)
    schema.count_intents(1)
    assert schema.tables.position == 2


def test_the_feed_ends_below_the_oldest_that_runs() -> None:
    """However many have begun and ended since."""
    meeting = Meeting(LONG)
    go(meeting, FIRST)
    while len(meeting.schema.log) == 0 or len(meeting.schema.running) == 1:
        go(meeting, SECOND)
    assert READER not in {each.who for each in meeting.choices()}
    through(meeting, SECOND)
    assert READER not in {each.who for each in meeting.choices()}
    through(meeting, FIRST)
    assert _read(meeting) == [1, 2, 3]


def test_a_page_may_end_inside_of_a_transaction() -> None:
    """The next one goes on from there."""
    meeting = Meeting(PAGES)
    through(meeting, FIRST)
    assert _read(meeting) == [1, 2]


def _read(meeting: Meeting) -> list[int]:
    """Read on to the end, and give the orders of what was seen, sorted."""
    return sorted(_orders(meeting))


def _orders(meeting: Meeting) -> Iterable[int]:
    while page := meeting.schema.page(meeting.place):
        yield from (int(each.entry.logged.correlation_id.hex[-2:]) for each in page)
        go(meeting, READER)
