"""Dead letters at the operator's desk: looked at, picked, dropped for good; what cannot be done is refused."""

from typing import Any

import pytest

from shared.desk import ACT_MAX_LETTERS
from shared.store.dead_letters import PAGE_MAX_BYTES
from tests.integration.asking import is_problem
from tests.integration.letters import kept
from tests.integration.operating import INBOX, KEY, LANE, LETTERS, acts, looked, mails, operated, set_aside, stranger
from tests.integration.stage import Stage
from tests.integration.wire import confirmed, envelope, message, send

pytestmark = pytest.mark.integration


async def contents(stage: Stage) -> list[Any]:
    """Read all that an operator's act could change."""
    tables = ("dead_letters", "inbox", "operator_actions")
    return [await stage.auditor.rows(f"SELECT * FROM notification_service.{t} ORDER BY 1") for t in tables]  # noqa: S608 - ours


async def pile(stage: Stage, count: int, body_bytes: int) -> None:
    """Put so many letters of so many bytes into the table; nobody can read them."""
    await stage.auditor.rows(
        f"INSERT INTO {LETTERS} (letter_id, lane, body, error_class, reason, attempts, first_failed_at, last_failed_at)"  # noqa: S608 - ours
        " SELECT gen_random_uuid(), $1, convert_to(repeat('x', $2), 'UTF8'), 'Unreadable', 'a test', 1, now(), now()"
        " FROM generate_series(1, $3)",
        LANE,
        body_bytes,
        count,
    )


@pytest.mark.parametrize("lane", ["", "\x01\n\x7f", "4111111111111111"])
async def test_letters_of_a_lane_that_no_operator_would_name_are_found(stage: Stage, lane: str) -> None:
    """A stranger names the queue that a message failed in as he likes; what is listed can be opened."""
    await pile(stage, 1, 10)
    await stage.auditor.rows(f"UPDATE {LETTERS} SET lane = $1", lane)  # noqa: S608 - ours
    actor = await stage.start("notification")
    (letter,) = (await looked(actor, "/dead-letters", lane=lane, error_class="Unreadable"))["letters"]
    assert letter["lane"] == lane


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


async def test_no_more_is_done_at_once_than_has_room(stage: Stage) -> None:
    """So many letters, and so many bytes of them; how many are left is said, and the biggest comes alone."""
    actor = await stage.start("notification")
    await pile(stage, ACT_MAX_LETTERS + 1, 10)
    told = await operated(actor, "/dead-letters/drop", all=True, why="many")
    assert (len(told["letters"]), told["left"]) == (ACT_MAX_LETTERS, 1)
    await operated(actor, "/dead-letters/drop", all=True, why="one more")
    await pile(stage, 3, PAGE_MAX_BYTES // 2)
    await pile(stage, 2, PAGE_MAX_BYTES + 1)
    for count, left in ((2, 3), (1, 2), (1, 1), (1, 0)):
        told = await operated(actor, "/dead-letters/drop", all=True, why="big")
        assert (len(told["letters"]), told["left"]) == (count, left)


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
    "body", [{"why": "4111111111111111", "all": True}, {"error_class": "5555-5555-5555-4444", "why": "old"}], ids=str
)
async def test_a_card_number_is_not_recorded(stage: Stage, body: dict[str, object]) -> None:
    """It is refused at the door, whatever it is said to be."""
    actor = await stage.start("notification")
    await stranger(stage)
    await kept(stage.auditor, "notification")
    is_problem(await actor.http.post("/dead-letters/drop", json=body, headers=KEY), 422)
    assert len(await kept(stage.auditor, "notification")) == 1
    assert await acts(actor) == []


@pytest.mark.parametrize(
    "body", [{}, {"all": False}, {"all": True, "lane": LANE}, {"letters": []}, {"lane": "\0"}, {"every": True}], ids=str
)
async def test_it_must_be_said_which_letters_are_meant(stage: Stage, body: dict[str, Any]) -> None:
    """In exactly one way."""
    actor = await stage.start("notification")
    is_problem(await actor.http.post("/dead-letters/replay", json=body, headers=KEY), 422)
