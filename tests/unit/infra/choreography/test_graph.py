"""What the graph tells of the four services: the same as their tables, and what the design says."""

import pytest

from infra.choreography.reading import Player, choreography, choreography_of
from infra.topology import TABLES
from services.order.events import Deadline
from shared.event import VOCABULARY
from shared.outcome import Outcome
from shared.reactions import Reactions
from tests.unit.shared.toy import Cue, Noted, Played, Tune, toy

DANCE = choreography()


def test_everything_is_there() -> None:
    """Each row of each table is a reaction, each event and each intent of theirs is known by its name."""
    rows = [(table.service, row.event.kind.name, row.function.__name__) for table in TABLES for row in table]
    assert [(each.service, each.event, each.function) for each in DANCE.reactions] == rows
    danced = {event for table in TABLES for row in table for event in (row.event, *row.causes)}
    assert set(DANCE.events) == {event.kind.name for event in danced}
    assert set(DANCE.intents) == {
        f"{table.service}.{intent.kind}" for table in TABLES for row in table for intent in row.intends
    }


def test_who_reacts() -> None:
    """A cancellation is heard by all that have something to undo or to tell."""
    names = [reaction.name for reaction in DANCE.who_reacts("order.cancelled")]
    assert names == ["inventory.release", "payment.undo_charge", "notification.tell_cancelled"]
    assert DANCE.who_reacts("stock.received") == DANCE.who_reacts("nonsense") == ()


def test_who_causes() -> None:
    """An event may have several causes, of one service."""
    assert [reaction.name for reaction in DANCE.who_causes("payment.voided")] == [
        "payment.undo_charge",
        "payment.close",
    ]
    assert [reaction.name for reaction in DANCE.who_intends("payment.charge")] == [
        "payment.learn_amount",
        "payment.learn_stock",
    ]


@pytest.mark.parametrize(
    ("event", "followers"),
    [
        ("stock.rejected", {"order.cancelled"}),
        ("payment.charge_answered", {"payment.captured", "payment.declined"}),
        ("order.placement_requested", {"order.placed", "order.deadline_passed"}),
        ("stock.reserved", {"payment.stock_learned", "payment.charge_intended", "payment.charge_answered"}),
        ("order.stock_book_closed", set()),
    ],
)
def test_what_may_follow(event: str, followers: set[str]) -> None:
    """What the reactions cause, and what answers their intents."""
    assert set(DANCE.what_may_follow(event)) == followers


def test_all_that_may_follow() -> None:
    """A cancellation leads to every closing event, and never back to a charge."""
    after = DANCE.all_that_may_follow(["order.cancelled"])
    assert {"order.cancelled", "stock.released", "payment.voided", "payment.refunded"} <= after
    assert not {"order.confirmed", "payment.charge_answered", "order.placed"} & after
    forward = DANCE.all_that_may_follow(DANCE.commands, but_for=DANCE.triggers)
    assert {"payment.declined", "stock.committed", "notification.sent"} <= forward
    assert not {"order.cancelled", "stock.released", "payment.undo_answered"} & forward


def test_the_one_trigger() -> None:
    """Everything that closes something closes the order's cancellation."""
    assert DANCE.triggers == ("order.cancelled",)


def test_what_begins_a_dance() -> None:
    """Three commands, and nothing else."""
    assert set(DANCE.commands) == {
        "order.placement_requested",
        "order.cancellation_requested",
        "stock.receipt_requested",
    }


def test_a_performer_that_is_missing_is_seen() -> None:
    """Whether an intent is carried out is read from the performers, not from who intends it."""
    told = choreography_of([Player(toy, frozenset({Tune}), frozenset())], [])
    assert {intent.name: intent.performed for intent in told.intents.values()} == {
        "toy.encore": False,
        "toy.tune": True,
    }


def test_a_leftover_is_seen() -> None:
    """An event class of a service belongs to the dance even if no table names it, and those of others do not."""
    told = choreography_of([Player(toy, frozenset(), frozenset())], [Played, *VOCABULARY.values()])
    assert set(told.events) == {"toy.cue", "toy.played", "toy.noted", "toy.encored"}


def test_one_name_for_one_thing() -> None:
    """Two events of a name, or two intents of a kind at one service, could not be told apart."""
    second = type("Again", (Cue,), {"kind": Cue.kind})
    with pytest.raises(ValueError, match=r"two are called toy\.cue"):
        choreography_of([Player(toy, frozenset(), frozenset())], [second])
    third = type("Again", (Deadline,), {}, kind="tune", answered_by=(), bound="")
    with pytest.raises(ValueError, match=r"two are called toy\.tune"):
        choreography_of([Player(toy, frozenset({third}), frozenset())], [])


def test_a_private_event_of_another_has_no_lane() -> None:
    """Lanes are for what is public."""
    reactions = Reactions("hall")

    @reactions.on(Noted)
    def listen(noted: Noted, state: object) -> Outcome[Played]:
        raise NotImplementedError

    assert choreography_of([Player(reactions, frozenset(), frozenset())], []).lanes == ()
