"""What a process counts: of the commits that it listens to, at the ports that it stands at, and of a backlog."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from services.payment.reactions import reactions as payment
from shared.batch import HeldUp
from shared.intents import NotAskedError, Reply, UnansweredError
from shared.metrics import ANSWERS, Metrics
from shared.ports import Claim, Message
from shared.store.backlog import Backlog, Dead, Intended, Known, Unsent
from shared.topology import dead_exchange, delay_exchange, return_exchange
from tests.unit.shared.fakes import START, FakeClock, FakePublisher
from tests.unit.shared.shell_stage import LOST, Stage
from tests.unit.shared.toy import Encore, Encored, command, cue, order, toy

LANE = "payment.order.placed"
EMPTY = Backlog("payment", Unsent(0, None, 0), Known(None, None), (Intended("charge"),), (), ())


class Read:
    """The metrics of one process, and what they say."""

    def __init__(self, reactions: Any = toy) -> None:
        self.clock = FakeClock()
        self.metrics = Metrics(reactions, ["charge"], self.clock)

    def __call__(self, name: str, **labels: str) -> float | None:
        """Read one value."""
        return self.metrics.registry.get_sample_value(name, {"service": self.metrics.service, **labels})

    def reactions(self) -> dict[str, float]:
        """Read how many reactions to a cue came to what; what did not come about is left out."""
        (family,) = (each for each in self.metrics.registry.collect() if each.name == "quartet_reactions")
        return {
            sample.labels["outcome"]: sample.value
            for sample in family.samples
            if sample.name.endswith("_total") and sample.value and sample.labels["event"] == "toy.cue"
        }


async def test_each_reaction_counts_as_what_it_came_to() -> None:
    """A command as its outcome, unless it was answered before."""
    read, stage = Read(), Stage()
    again = cue()
    shell = stage.born(on_commit=read.metrics.committed)
    stage.shell = shell
    await stage.play(again, again, cue("rest"), cue("break"), command())
    await stage.play(command(), command(body_hash="other"))
    assert read.reactions() == {
        "advanced": 2, "ignored": 1, "raised": 1, "duplicate": 1, "answered_before": 1, "key_reused": 1,
    }  # fmt: skip


async def test_a_batch_is_sized_and_timed() -> None:
    """Once, however many events it has."""
    read, stage = Read(), Stage()
    stage.shell = stage.born(on_commit=read.metrics.committed)
    await stage.play(*(cue() for _ in range(4)))
    for name, total in (("batch_events", 4.0), ("commit_seconds", None), ("reacting_seconds", None)):
        assert read(f"quartet_{name}_count") == 1
        assert total is None or read(f"quartet_{name}_sum") == total


def test_two_processes_count_apart() -> None:
    """Also where they are one, as in a test."""
    one, other = Read(), Read()
    one.metrics.show(EMPTY)
    assert one("quartet_outbox_waiting") == 0
    assert other("quartet_outbox_waiting") is None


async def test_what_the_relay_publishes() -> None:
    """By event, and whether the broker has confirmed it; what it answers goes on to the relay."""
    read, publisher = Read(), FakePublisher()
    publisher.refuse(False, True)
    messages = [Message("toy.events", "toy.played", b"[]", str(number)) for number in range(2)]
    answers = await read.metrics.relaying(publisher).publish(iter(messages))
    assert [error is None for error in answers] == [True, False]
    assert publisher.published == messages
    for result in ("confirmed", "refused"):
        assert read("quartet_relay_messages_total", event="toy.played", result=result) == 1


@pytest.mark.parametrize(
    ("exchange", "name"),
    [
        (delay_exchange("payment", 1_000), "retries"),
        (dead_exchange("payment"), "set_aside"),
        (return_exchange("payment"), "replays"),
    ],
)
async def test_what_is_set_back(exchange: str, name: str) -> None:
    """Counts by lane, as what it is, once the broker has it."""
    read, publisher = Read(payment), FakePublisher()
    publisher.refuse(True, False)
    for _ in range(2):
        await read.metrics.setting_back(publisher).publish([Message(exchange, LANE, b"[]", "1")])
    names = ("retries", "set_aside", "replays")
    assert {each: read(f"quartet_{each}_total", lane=LANE) for each in names} == dict.fromkeys(names, 0) | {name: 1}


@pytest.mark.parametrize(
    ("error", "result", "timed"),
    [
        (None, "answered", 1),
        (UnansweredError("silence"), "unanswered", 1),
        (LOST, "unanswered", 1),
        (NotAskedError("away", 1.0), "not_asked", 0),
    ],
    ids=str,
)
async def test_what_is_asked_outside(error: Exception | None, result: str, timed: int) -> None:
    """Is counted by what came of it, and timed where somebody was asked; the answer is what it was."""
    read, reply = Read(), Reply(Encored(order_id=order()))

    async def perform(_: Claim) -> Reply:
        await read.clock.sleep(2.0)
        if error is not None:
            raise error
        return reply

    claim = Claim(order(), Encore(order_id=order()), order(), order(), None, 1, 1)
    performer = read.metrics.performing({"charge": perform})["charge"]
    (came,) = await asyncio.gather(performer(claim), return_exceptions=True)
    assert came is (error or reply)
    results = {each: read("quartet_intents_total", kind="charge", result=each) for each in ANSWERS}
    assert results == dict.fromkeys(ANSWERS, 0) | {result: 1}
    assert read("quartet_intent_seconds_count", kind="charge") == timed
    assert read("quartet_intent_seconds_sum", kind="charge") == pytest.approx(2.0 * timed, abs=0.5)


def test_a_backlog_is_shown() -> None:
    """Of lanes that are ours; what a stranger wrote on a letter is no label."""
    read = Read(payment)
    letters = (Dead(LANE, "ValueError", 2, 9.0), Dead(LANE, "KeyError", 3, 9.0), Dead("0b1c7e", "Odd", 1, 9.0))
    intended, held_up = Intended("charge", 5, 4, 3.5, 2), HeldUp(START - timedelta(minutes=2), 1, "denied")
    read.metrics.show(Backlog("payment", Unsent(7, 12.5, 1), Known(None, None), (intended,), (), letters, held_up))
    assert read("quartet_outbox_oldest_seconds") == 12.5
    shown = {
        "outbox_waiting": 7, "outbox_parked": 1, "intents_waiting": 5, "intents_due": 4, "intents_parked": 2,
        "intents_oldest_due_seconds": 3.5, "held_up_seconds": 120,
    }  # fmt: skip
    for name, value in shown.items():
        labels = {"kind": "charge"} if name.startswith("intents") else {}
        assert read(f"quartet_{name}", **labels) == value, name
    assert read("quartet_dead_letters", lane=LANE) == 5
    assert read("quartet_dead_letters", lane="elsewhere") == 1
    assert read("quartet_dead_letters", lane="0b1c7e") is None
    read.metrics.show(EMPTY)
    assert (read("quartet_dead_letters", lane=LANE), read("quartet_outbox_oldest_seconds")) == (0, 0)
    assert read("quartet_held_up_seconds") == 0


def test_of_an_unknown_backlog_nothing_is_shown() -> None:
    """Least of all what it was before."""
    read = Read(payment)
    read.metrics.show(EMPTY)
    read.metrics.show(None)
    assert read("quartet_outbox_waiting") is None
    assert read("quartet_intents_due", kind="charge") is None
    assert read("quartet_retries_total", lane=LANE) == 0
