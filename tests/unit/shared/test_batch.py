"""One batch's way through the reactions: what each item sees, and what is recorded of it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from shared.batch import Answered, Batch, Duplicate, Item, Raised
from shared.envelope import Envelope
from shared.ids import derived_id, new_id
from shared.outcome import Advanced, Ignored
from shared.ports import Answer, Received
from shared.reactions import UndeclaredError
from shared.store.aggregates import AggregateBook, order_of
from tests.unit.shared.fakes import START
from tests.unit.shared.toy import (
    Cue,
    Encore,
    Encored,
    Noted,
    Played,
    Score,
    Tune,
    command,
    cue,
    cues,
    encored,
    order,
    toy,
)

ENCORE = (order(), Encore.kind)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Run:
    """A batch over an empty book; the ids of `known` items were reacted to before."""

    def __init__(self, *items: Item, known: tuple[Item, ...] = ()) -> None:
        self.book: AggregateBook[UUID] = AggregateBook(order_of, lambda order_id: order_id, {})
        fresh = {item.envelope.event_id for item in items} - {item.envelope.event_id for item in known}
        batch = Batch(toy, self.book, Received(frozenset(fresh), START))
        self.results = [batch.apply(item) for item in items]
        self.record = batch.record

    @property
    def plays(self) -> int:
        state = self.book.read(Cue(order_id=order()))
        return state.plays if state else 0


def test_each_sees_what_the_one_before_left() -> None:
    """The second event of a batch meets the state that the first one left, the third that of the second."""
    run = Run(*cues("play", "note", "play"))
    assert [result.state.plays for result in run.results if isinstance(result, Advanced)] == [1, 2, 3]
    assert [(entry.stream_id, entry.version) for entry in run.record.entries] == [(order(), n) for n in (1, 2, 3)]


def test_streams_keep_apart() -> None:
    """Events about two orders do not see each other."""
    run = Run(cue("play", about=1), cue("both", about=2), cue("play", about=1))
    assert [(entry.stream_id, entry.version) for entry in run.record.entries] == [
        (order(1), 1),
        (order(2), 1),
        (order(2), 2),
        (order(1), 2),
    ]


def test_what_is_logged() -> None:
    """Each event is logged with its cause, its correlation, its trace and the database's time."""
    event_id = new_id()
    run = Run(Item(Envelope(event_id, Cue(order_id=order(), does="both"), order(), traceparent=TRACE)))
    noted, played = run.record.entries
    assert (noted.public, played.public) == (False, True)
    assert (noted.logged.type, played.logged.type) == ("toy.noted.v1", "toy.played.v1")
    assert played.logged.event_id == derived_id(event_id, "toy.played.v1", "2")
    assert (played.logged.owner, played.logged.correlation_id, played.logged.causation_id) == ("toy", order(), event_id)
    assert (played.logged.traceparent, played.logged.occurred_at) == (TRACE, START)
    assert Played.model_validate_json(played.logged.payload) == Played(order_id=order(), nth=1)


def test_an_attempt_that_was_not_the_first_is_noted() -> None:
    """With the event that led to what is logged; not where nothing is, nor where the first attempt succeeded."""
    first, second, ignored, failed = cues("play", "play", "rest", "break")
    again = [replace(item, attempts=2) for item in (second, ignored, failed)]
    assert Run(first, *again).record.attempts == {second.envelope.event_id: 2}


def test_the_same_batch_names_the_same_events() -> None:
    """A batch that runs again logs the same ids."""
    items = cues("both", "promise", "play")
    first, again = Run(*items), Run(*items)
    assert first.record == again.record
    assert len({entry.logged.event_id for entry in first.record.entries}) == len(first.record.entries) == 4


def test_known_ids_are_duplicates() -> None:
    """What was reacted to in an earlier transaction is not reacted to again."""
    before, after = cues("play", "play")
    run = Run(before, after, known=(before,))
    assert run.results[0] == Duplicate()
    assert run.plays == 1


def test_an_id_that_repeats_is_a_duplicate() -> None:
    """Within one batch, too, an event counts once."""
    item = cue("play")
    run = Run(item, item, item)
    assert run.results[1:] == [Duplicate(), Duplicate()]
    assert (run.plays, len(run.record.entries)) == (1, 1)


def test_ignored_says_why() -> None:
    """What is ignored is recorded with its reason, and changes nothing."""
    item = cue("rest")
    run = Run(item)
    assert run.results == [Ignored("a rest")]
    assert run.record.ignored == {item.envelope.event_id: "a rest"}
    assert (run.record.entries, run.book.loaded) == ([], {})


def test_a_failure_leaves_no_trace_but_its_id() -> None:
    """A reaction that raises changes neither the state nor the record, and its neighbours are as without it."""
    before, bad, after = cues("promise", "break", "play")
    run, without = Run(before, bad, after), Run(before, after)
    assert isinstance(run.results[1], Raised)
    assert str(run.results[1].error) == "a string broke"
    assert run.record.raised == [bad.envelope.event_id]
    run.record.raised.clear()
    assert run.record == without.record
    assert run.book.loaded == without.book.loaded


def test_an_undeclared_outcome_is_a_failure() -> None:
    """An event that has no reaction here fails alone."""
    lost = Item(Envelope(new_id(), Noted(order_id=order()), order()))
    run = Run(lost, cue("play"))
    assert isinstance(run.results[0], Raised)
    assert isinstance(run.results[0].error, UndeclaredError)
    assert run.plays == 1


def test_an_intent_follows_from_the_last_event() -> None:
    """An intent is recorded once for its stream and kind, with the event that it follows from."""
    run = Run(cue("promise"))
    assert run.record.intents == {ENCORE: (Encore(order_id=order()), run.record.entries[-1].logged)}


def test_intended_then_withdrawn() -> None:
    """What one batch intends and withdraws is never carried out; what an earlier one intended goes as well."""
    run = Run(*cues("promise", "withdraw"))
    assert run.record.intents == {}
    assert run.record.withdrawn == {ENCORE}


def test_withdrawn_then_intended() -> None:
    """What is withdrawn first and intended again is carried out: the old one goes, the new one stays."""
    run = Run(*cues("withdraw", "promise"))
    assert run.record.withdrawn == {ENCORE}
    assert run.record.intents[ENCORE][1] == run.record.entries[-1].logged


def test_intended_withdrawn_intended() -> None:
    """Of three, the last word counts."""
    run = Run(*cues("promise", "withdraw", "promise_later"))
    assert run.record.intents[ENCORE][0].after_s == 60
    assert run.record.withdrawn == {ENCORE}


def test_intents_keep_their_order() -> None:
    """The intents of a stream are recorded in the order in which they were last intended."""
    first, second = Encored(order_id=order(), tunes=True), Cue(order_id=order(), does="promise")
    run = Run(*cues("promise"), Item(Envelope(new_id(), first, order())), Item(Envelope(new_id(), second, order())))
    assert [kind for _, kind in run.record.intents] == [Tune.kind, Encore.kind]


def test_a_command_is_answered_from_the_state_after_it() -> None:
    """The answer is recorded with its request, and given."""
    item = command("play")
    run = Run(cue("play"), item)
    answer = Answer(200, {"plays": 2})
    assert isinstance(run.results[1], Answered)
    assert run.results[1].answer == answer
    assert isinstance(run.results[1].outcome, Advanced)
    assert run.record.answers == [(item.request, item.envelope.event_id, answer)]


def test_a_command_that_changes_nothing_is_answered_from_the_state_as_it_is() -> None:
    """Ignored is an answer, too."""
    run = Run(cue("play"), command("rest"))
    assert isinstance(run.results[1], Answered)
    assert run.results[1].answer == Answer(200, {"plays": 1})
    assert run.results[1].outcome == Ignored("a rest")


def test_a_command_is_told_what_became_of_it() -> None:
    """Its answer is made from the outcome too: why it was ignored can be said."""

    def answer(outcome: Advanced[Any] | Ignored, score: Score | None) -> Answer:
        return Answer(409, {"why": outcome.reason if isinstance(outcome, Ignored) else ""})

    run = Run(replace(command("rest"), answer=answer))
    assert run.results == [Answered(Answer(409, {"why": "a rest"}), Ignored("a rest"))]


def test_a_command_that_raises_has_no_answer() -> None:
    """Nothing is stored under its key, so it may be asked again."""
    item = command("break")
    run = Run(item)
    assert isinstance(run.results[0], Raised)
    assert run.record.answers == []


def test_an_answer_that_cannot_be_made_is_a_failure() -> None:
    """If the answer raises, the command has done nothing."""

    def answer(outcome: object, score: Score | None) -> Answer:
        raise LookupError("no words")

    run = Run(replace(command("play"), answer=answer))
    assert isinstance(run.results[0], Raised)
    assert (run.plays, run.record.entries, run.record.answers) == (0, [], [])


@pytest.mark.parametrize("known", [False, True])
def test_an_answer_completes_its_intent(known: bool) -> None:
    """With the reaction to it, and with a duplicate: then it was reacted to before."""
    intent_id = new_id()
    item = encored(intent_id)
    assert Run(item, known=(item,) if known else ()).record.completed == [intent_id]


def test_an_ignored_answer_completes_its_intent() -> None:
    """To be ignored is to be reacted to."""
    intent_id = new_id()
    assert Run(replace(cue("rest"), completes=intent_id)).record.completed == [intent_id]


def test_an_answer_that_raises_completes_nothing() -> None:
    """The intent stays, and its own backoff is the retry."""
    assert Run(encored(new_id(), breaks=True)).record.completed == []


def test_a_copy_of_a_failure_is_a_failure() -> None:
    """A second copy in the same batch fails with the first: it is no duplicate, and completes nothing either."""
    item = encored(new_id(), breaks=True)
    run = Run(item, cue("play"), item)
    assert [type(result) for result in run.results] == [Raised, Advanced, Raised]
    assert run.record.completed == []
    assert run.record.raised == [item.envelope.event_id]
