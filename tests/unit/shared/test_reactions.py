"""Reaction tables: read from annotations, and held against what reactions really cause."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from shared.outcome import Advanced, Ignored, Intent, Outcome, advance, ignore
from shared.reactions import Reactions, UndeclaredError
from shared.vocabulary.inventory import StockReserved
from shared.vocabulary.order import OrderCancelled
from tests.unit.shared.toy import Cue, Encore, Encored, Noted, Played, Score, Tune, order, toy

CUE = Cue(order_id=order())
NOTED, PLAYED = Noted(order_id=order()), Played(order_id=order(), nth=1)
SCORE = Score(order())


def declares_nothing(cue: Cue, score: Score) -> Any:
    raise NotImplementedError


def declares_the_outcome_alone(cue: Cue, score: Score) -> Ignored:
    raise NotImplementedError


def has_no_annotation(cue: Any, score: Any):  # type: ignore[no-untyped-def]  # noqa: ANN201, RUF100 - the point of the test
    raise NotImplementedError


def table(outcome: Advanced[Any] | Ignored) -> Reactions:
    """Give a table whose one reaction declares `Noted` and `Encore`, and does as it is told here."""
    reactions = Reactions("toy")

    @reactions.on(Cue)
    def react(cue: Cue, score: Score) -> Outcome[Noted | Encore]:
        return outcome

    return reactions


def test_reads_the_annotation() -> None:
    """A row names the events and the intents of its function's annotation."""
    (row,) = table(ignore("nothing"))
    assert row.event is Cue
    assert row.causes == {Noted}
    assert row.intends == {Encore}
    assert toy[Encored].causes == {Noted}
    assert toy[Encored].intends == {Tune}


@pytest.mark.parametrize(
    "outcome", [advance(SCORE, NOTED), advance(SCORE, NOTED, Encore(order_id=order())), ignore("")]
)
def test_declared_outcomes_come_back(outcome: Advanced[Any] | Ignored) -> None:
    """What the annotation names is given back as it is."""
    assert table(outcome).react(CUE, SCORE) is outcome


@pytest.mark.parametrize(
    ("outcome", "names"),
    [
        (advance(SCORE, PLAYED), "Played"),
        (advance(SCORE, NOTED, PLAYED), "Played"),
        (advance(SCORE, NOTED, Tune(order_id=order())), "Tune"),
        (advance(SCORE, PLAYED, Tune(order_id=order())), "Played, Tune"),
        (advance(SCORE, NOTED, withdraw=(Tune,)), "Tune"),
        (advance(SCORE, NOTED, withdraw=(Encore,)), "Encore"),
    ],
)
def test_undeclared_consequences_are_refused(outcome: Advanced[Any], names: str) -> None:
    """What is not declared never leaves the reaction: an event, an intent, or an intent that it withdraws."""
    with pytest.raises(UndeclaredError, match=f"react does not declare {names}"):
        table(outcome).react(CUE, SCORE)


def test_what_is_no_outcome_is_refused() -> None:
    """A reaction that falls through its match fails on its own, and not the batch that it is in."""
    with pytest.raises(UndeclaredError, match="gave None, which is no outcome"):
        table(cast("Any", None)).react(CUE, SCORE)


def test_unknown_events_are_refused() -> None:
    """An event without a row is an error, not something to ignore."""
    with pytest.raises(UndeclaredError, match=r"toy has no reaction to toy\.encored\.v1"):
        table(ignore("")).react(Encored(order_id=order()), SCORE)


def test_what_a_reaction_raises_comes_through() -> None:
    """An exception is the shell's to judge."""
    with pytest.raises(ValueError, match="a string broke"):
        toy.react(Cue(order_id=order(), does="break"), SCORE)


def test_one_reaction_for_each_event() -> None:
    """A second reaction to one event is refused when the table is read, not when the event comes."""
    reactions = table(ignore(""))
    with pytest.raises(ValueError, match=r"toy reacts to toy\.cue already"):
        reactions.on(Cue)(toy[Cue].function)


def test_what_is_final_is_final() -> None:
    """Nobody reacts to an event that says so."""
    final = type("Final", (Cue,), {"kind": replace(Noted.kind, final=True)})
    with pytest.raises(ValueError, match=r"toy\.noted is final"):
        Reactions("toy").on(final)(toy[Cue].function)


def test_what_is_undone_takes_something() -> None:
    """A reaction undoes one of its own table that takes a scarce good, and nothing else."""
    reactions = Reactions("toy")
    take, undo = toy[Cue].function, toy[Encored].function
    with pytest.raises(ValueError, match="take_note undoes follow, which takes nothing"):
        reactions.on(Encored, undoes=(take,))(undo)
    reactions.on(Cue, takes="seats")(take)
    reactions.on(Encored, undoes=(take,))(undo)
    assert (reactions[Cue].takes, reactions[Encored].undoes) == ("seats", (take,))


@pytest.mark.parametrize("function", [declares_nothing, declares_the_outcome_alone, has_no_annotation])
def test_a_reaction_needs_an_outcome(function: Callable[[Any, Any], Any]) -> None:
    """A function that does not say what it can cause is refused by name."""
    with pytest.raises(ValueError, match=f"{function.__name__} is not annotated with an Outcome"):
        Reactions("toy").on(Cue)(function)


def test_an_advance_logs_an_event() -> None:
    """A state never moves on without a word in the log."""
    with pytest.raises(ValueError, match="at least one event"):
        advance(SCORE)
    with pytest.raises(ValueError, match="at least one event"):
        advance(SCORE, Encore(order_id=order()), withdraw=(Tune,))


def test_consequences_are_told_apart() -> None:
    """Events and intents are given in any order, and kept each in theirs."""
    encore, tune = Encore(order_id=order()), Tune(order_id=order())
    outcome = advance(SCORE, encore, NOTED, tune, PLAYED, withdraw=[Encore])
    assert outcome == Advanced(SCORE, (NOTED, PLAYED), (encore, tune), (Encore,))


def test_published_and_consumed() -> None:
    """A table publishes the public events that it causes, and consumes the public events of others."""
    reactions = Reactions("order")

    @reactions.on(Cue)
    def first(cue: Cue, score: Score) -> Outcome[Played | Noted]:
        raise NotImplementedError

    @reactions.on(StockReserved)
    def second(reserved: StockReserved, score: Score) -> Outcome[OrderCancelled]:
        raise NotImplementedError

    @reactions.on(OrderCancelled)
    def third(cancelled: OrderCancelled, score: Score) -> Outcome[Noted]:
        raise NotImplementedError

    assert reactions.published == (OrderCancelled, Played)
    assert reactions.consumed == (StockReserved,)


def test_intents_say_what_they_mean() -> None:
    """An intent class without a kind, an answer and a bound cannot be written."""
    with pytest.raises(TypeError, match="'kind', 'answered_by', and 'bound'"):
        type("Nameless", (Intent,), {})
