"""Dead letters at the operator's desk: a replay has one effect, a drop is final, and nothing is lost on the way."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from shared.desk import Desk
from shared.letters import Kept, Selection
from shared.ports import WorldError
from shared.runtime import Runtime
from shared.store.dead_letters import DeadLetters
from tests.integration.asking import is_problem
from tests.integration.letters import kept
from tests.integration.operating import INBOX, KEY, LANE, LETTERS, acts, looked, operated, set_aside
from tests.integration.stage import PROGRAMS, Actor, Stage
from tests.integration.waiting import eventually
from tests.integration.wire import confirmed, envelope, message, send
from tests.unit.shared.fakes import FakePublisher

pytestmark = pytest.mark.integration

SENT = "notification_service.events", "type = 'notification.sent.v1'"
UNREADABLE = orjson.dumps([{"specversion": "1.0", "type": "order.confirmed.v1", "data": {"email": "who@example.org"}}])


async def mails(stage: Stage, count: int) -> None:
    """Wait until so many mails are sent and nothing is left to do, and insist that it was no more."""

    async def look() -> None:
        assert await stage.auditor.count(*SENT) == count

    await eventually(look)
    await stage.auditor.done("notification")
    await look()


async def stranger(stage: Stage) -> None:
    """Send notification something that it cannot read."""
    await stage.auditor.publish("order.events", "order.confirmed", UNREADABLE, "strange")


async def contents(stage: Stage) -> list[Any]:
    """Read all that an operator's act could change."""
    tables = ("dead_letters", "inbox", "operator_actions")
    return [await stage.auditor.rows(f"SELECT * FROM notification_service.{t} ORDER BY 1") for t in tables]  # noqa: S608 - ours


@asynccontextmanager
async def quiet(stage: Stage) -> AsyncIterator[Runtime]:
    """Give the parts of a notification that consumes nothing."""
    program, settings = PROGRAMS["notification"], stage.settings("notification")
    runtime = Runtime(program.reactions, program.states, program.performers(settings), settings)  # never entered
    yield runtime
    await runtime.retry_publisher.close()
    await runtime.engine.dispose()


class Crashing(DeadLetters):
    """A table that is out of reach once a replay is published."""

    async def replayed(self, letters: Sequence[Kept]) -> None:
        """Fail."""
        raise WorldError("ended between the publish and the delete")


async def test_a_letter_replayed_after_the_reaction_is_mended_has_one_effect(stage: Stage) -> None:
    """Under its own id, once; the letter is gone, and who did it is recorded."""
    (only,) = await set_aside(stage)
    actor = await stage.start("notification")
    (letter,) = (await looked(actor, "/dead-letters"))["letters"]
    assert (letter["event_id"], letter["lane"]) == (str(only.event_id), LANE)
    assert (letter["inbox"], letter["replay"]) == ("dead", "reacted to anew")
    told = await operated(actor, "/dead-letters/replay", letters=[letter["letter_id"]])
    assert ([one["done"] for one in told["letters"]], told["left"], told["foreign"]) == ([True], 0, 0)
    await mails(stage, 1)
    assert await stage.auditor.count(INBOX, "event_id = $1 AND outcome = 'advanced'", only.event_id) == 1
    assert await stage.auditor.count(LETTERS) == 0
    assert await acts(actor) == [("replay", "1 by id", {"letters": [letter["letter_id"]]})]


async def test_a_replay_of_what_was_reacted_to_is_dropped(stage: Stage) -> None:
    """The inbox keeps what it knows, and says so before."""
    (only,) = await set_aside(stage)
    await stage.auditor.rows(f"DELETE FROM {INBOX}")  # noqa: S608 - ours; as a replay does that ends there
    actor = await stage.start("notification")
    await send(stage.auditor, only)
    await mails(stage, 1)
    before = await stage.auditor.rows(f"SELECT * FROM {INBOX} WHERE event_id = $1", only.event_id)  # noqa: S608 - ours
    told = await operated(actor, "/dead-letters/replay", all=True)
    assert [(one["inbox"], one["replay"]) for one in told["letters"]] == [("advanced", "dropped: advanced already")]
    await mails(stage, 1)
    assert await stage.auditor.rows(f"SELECT * FROM {INBOX} WHERE event_id = $1", only.event_id) == before  # noqa: S608 - ours
    assert await stage.auditor.count(LETTERS) == 0


async def test_ended_between_the_publish_and_the_delete(stage: Stage) -> None:
    """The letter is still there, is replayed twice, and has one effect."""
    await set_aside(stage)
    actor = await stage.start("notification")
    runtime = actor.runtime
    crashing = Desk(PROGRAMS["notification"].reactions, Crashing(runtime.engine), runtime.retry_publisher)
    with pytest.raises(WorldError):
        await crashing.replay(Selection(), "all", dry_run=False)
    await mails(stage, 1)
    assert await stage.auditor.count(LETTERS) == 1
    await operated(actor, "/dead-letters/replay", all=True)
    await mails(stage, 1)
    assert await stage.auditor.count(LETTERS) == 0


async def test_what_is_not_confirmed_stays(stage: Stage) -> None:
    """The broker takes one of two: the other one's letter is still there."""
    await set_aside(stage, 2)
    async with quiet(stage) as runtime:
        publisher = FakePublisher()
        publisher.refuse(True, False)
        desk = Desk(PROGRAMS["notification"].reactions, DeadLetters(runtime.engine), publisher)
        pile = await desk.replay(Selection(), "all", dry_run=False)
    assert [examined.done for examined in pile.letters] == [False, True]
    (left,) = await kept(stage.auditor, "notification")
    assert left["letter_id"] == pile.letters[0].kept.letter.letter_id


async def test_a_letter_that_comes_straight_back_is_not_lost(stage: Stage) -> None:
    """It is set aside again before the replay has deleted it: then it is another one, at the end of the pile."""
    actor = await stage.start("notification")
    await stranger(stage)
    (before,) = await kept(stage.auditor, "notification")

    class Slow(DeadLetters):
        """Takes its time over the delete."""

        async def replayed(self, letters: Sequence[Kept]) -> None:
            """Wait until the letter is back."""

            async def look() -> None:
                assert await stage.auditor.count(LETTERS, "position > $1", before["position"]) == 1

            await eventually(look)
            await super().replayed(letters)

    runtime = actor.runtime
    desk = Desk(PROGRAMS["notification"].reactions, Slow(runtime.engine), runtime.retry_publisher)
    pile = await desk.replay(Selection(), "all", dry_run=False)
    assert [(examined.done, examined.replay) for examined in pile.letters] == [
        (True, "set aside again: cannot be read")
    ]
    (after,) = await kept(stage.auditor, "notification")
    assert after["letter_id"] == before["letter_id"]


async def test_a_replay_has_fresh_headers(stage: Stage) -> None:
    """Nothing of what the letter went through goes with it: its attempts begin anew, in its own lane."""
    (only,) = await set_aside(stage)
    async with quiet(stage) as runtime:
        await runtime.desk.replay(Selection(), "all", dry_run=False)
    taken = await stage.auditor.take(LANE)
    assert taken.headers.keys() <= {"x-delivery-count"}  # the broker's own
    assert taken.delivery_mode == 2
    assert orjson.loads(taken.body) == [
        orjson.loads(message([only]))[0] | {"time": orjson.loads(taken.body)[0]["time"]}
    ]


async def test_a_drop_is_final(stage: Stage) -> None:
    """A copy that comes later is dropped, and the inbox says why."""
    (only,) = await set_aside(stage)
    actor = await stage.start("notification")
    await operated(actor, "/dead-letters/drop", error_class="BrokenError", why="sent by hand")
    await send(stage.auditor, only)
    await mails(stage, 0)
    (row,) = await stage.auditor.rows(f"SELECT outcome, reason FROM {INBOX}")  # noqa: S608 - ours
    assert tuple(row) == ("dropped", "sent by hand")
    assert await stage.auditor.count(LETTERS) == 0
    (act,) = await acts(actor)
    assert (act[:2], act[2]["why"]) == (("drop", "error_class BrokenError"), "sent by hand")


async def test_a_drop_of_what_the_inbox_does_not_know(stage: Stage) -> None:
    """Is as final; and one of what was reacted to leaves the inbox as it is."""
    forgotten, done = await set_aside(stage, 2)
    await stage.auditor.rows(f"DELETE FROM {INBOX} WHERE event_id = $1", forgotten.event_id)  # noqa: S608 - ours
    await stage.auditor.rows(f"UPDATE {INBOX} SET outcome = 'advanced', reason = NULL")  # noqa: S608 - ours
    actor = await stage.start("notification")
    await operated(actor, "/dead-letters/drop", all=True, why="old")
    rows = await stage.auditor.rows(f"SELECT event_id, outcome FROM {INBOX}")  # noqa: S608 - ours
    assert {row["event_id"]: row["outcome"] for row in rows} == {
        forgotten.event_id: "dropped",
        done.event_id: "advanced",
    }


async def test_letters_are_picked_by_reason_and_by_lane(stage: Stage) -> None:
    """Only those that are meant go; the others stay."""
    await set_aside(stage)
    actor = await stage.start("notification")
    await stranger(stage)
    await kept(stage.auditor, "notification", 2)
    assert (await looked(actor, "/dead-letters", lane="notification.order.cancelled"))["letters"] == []
    assert len((await looked(actor, "/dead-letters", lane=LANE))["letters"]) == 2
    told = await operated(actor, "/dead-letters/replay", error_class="BrokenError")
    assert [one["replay"] for one in told["letters"]] == ["reacted to anew"]
    await mails(stage, 1)
    (left,) = (await looked(actor, "/dead-letters"))["letters"]
    assert (left["error_class"], left["inbox"]) == ("Unreadable", "nothing")


async def test_pages_hold_every_letter_once(stage: Stage) -> None:
    """In the order in which they came, however they are cut."""
    events = await set_aside(stage, 5)
    actor = await stage.start("notification")
    found: list[str] = []
    after: int | None = 0
    while after is not None:
        page = await looked(actor, "/dead-letters", after=after, limit=2)
        found += [letter["event_id"] for letter in page["letters"]]
        assert page["left"] == len(events) - len(found)
        after = page["next"]
    assert sorted(found) == sorted(str(event.event_id) for event in events)


@pytest.mark.parametrize(("path", "more"), [("replay", {}), ("drop", {"why": "no reason"})])
async def test_a_dry_run_changes_nothing(stage: Stage, path: str, more: dict[str, str]) -> None:
    """It says of each letter what would become of it."""
    await set_aside(stage, 2)
    actor = await stage.start("notification")
    before = await contents(stage)
    told = await operated(actor, f"/dead-letters/{path}", all=True, dry_run=True, **more)
    assert [(one["done"], one["inbox"]) for one in told["letters"]] == [(False, "dead")] * 2
    await stage.auditor.done("notification")
    assert await contents(stage) == before


async def test_a_letter_without_a_lane_of_ours_cannot_be_replayed(stage: Stage) -> None:
    """It is said so; the others go on, and it can be dropped."""
    actor = await stage.start("notification")
    await stage.auditor.publish("notification.dead", "", message([envelope(confirmed())]))  # it says no lane
    (lost,) = await kept(stage.auditor, "notification")
    body = {"letters": [str(lost["letter_id"])]}
    is_problem(await actor.http.post("/dead-letters/replay", json=body, headers=KEY), 409)
    await stranger(stage)
    await kept(stage.auditor, "notification", 2)
    told = await operated(actor, "/dead-letters/replay", all=True)
    assert ([one["lane"] for one in told["letters"]], told["foreign"]) == ([LANE], 1)
    (shown,) = [one for one in (await looked(actor, "/dead-letters"))["letters"] if not one["lane"]]
    assert shown["replay"] == "refused: no lane of notification"
    assert (await operated(actor, "/dead-letters/drop", **body, why="nobody knows"))["letters"][0]["done"]


async def test_an_open_letter_hides_what_is_personal(stage: Stage) -> None:
    """Whether it can be read or not; one that is not there is a 404."""
    (only,) = await set_aside(stage)
    actor = await stage.start("notification")
    await stranger(stage)
    rows = await kept(stage.auditor, "notification", 2)
    bodies = [(await looked(actor, f"/dead-letters/{row['letter_id']}"))["body"] for row in rows]
    assert all("@example.org" not in body for body in bodies)
    assert str(only.correlation_id) in bodies[0]
    is_problem(await actor.http.get(f"/dead-letters/{only.event_id}", headers=KEY), 404)


@pytest.mark.parametrize(
    "body", [{}, {"all": False}, {"all": True, "lane": LANE}, {"letters": []}, {"lane": "\0"}, {"every": True}], ids=str
)
async def test_it_must_be_said_which_letters_are_meant(stage: Stage, body: dict[str, Any]) -> None:
    """In exactly one way."""
    actor: Actor = await stage.start("notification")
    is_problem(await actor.http.post("/dead-letters/replay", json=body, headers=KEY), 422)
