"""Replays of dead letters: each has one effect, and none is lost, wherever one ends or comes back."""

from collections.abc import Sequence

import orjson
import pytest

from shared.desk import Desk
from shared.letters import Kept, Selection
from shared.ports import WorldError
from shared.retries import LAST_FAILED_AT
from shared.store.dead_letters import DeadLetters
from tests.integration.letters import kept
from tests.integration.operating import INBOX, LANE, LETTERS, acts, looked, mails, operated, quiet, set_aside, stranger
from tests.integration.stage import PROGRAMS, Stage
from tests.integration.wire import message, send
from tests.unit.shared.fakes import FakePublisher
from tests.waiting import eventually

pytestmark = pytest.mark.integration


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
    """Of what the letter went through it says when that ended; its attempts begin anew, in its own lane."""
    (only,) = await set_aside(stage)
    (letter,) = await kept(stage.auditor, "notification")
    async with quiet(stage) as runtime:
        await runtime.desk.replay(Selection(), "all", dry_run=False)
    taken = await stage.auditor.take(LANE)
    assert taken.headers.keys() <= {LAST_FAILED_AT, "x-delivery-count"}  # the broker's own
    assert taken.headers[LAST_FAILED_AT] == letter["last_failed_at"].isoformat()
    assert taken.delivery_mode == 2
    assert orjson.loads(taken.body) == [
        orjson.loads(message([only]))[0] | {"time": orjson.loads(taken.body)[0]["time"]}
    ]
