"""The events feed: whoever pages through it sees every event once, whatever was committed in which order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, suppress
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from infra.ports import SERVICES
from shared.ids import new_id
from shared.masking import MASK
from shared.store.connection import connect
from shared.store.driver import Driver, transacting
from shared.store.feed import Feed
from shared.store.place import BEGINNING, Place
from tests.integration.asking import is_problem
from tests.integration.operating import KEY, looked
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.waiting import eventually

pytestmark = pytest.mark.integration

WRITERS, TRANSACTIONS, EVENTS = 6, 15, 3


class Log:
    """Notification's log, written by hand, each event in the transaction that a test chooses."""

    def __init__(self, stage: Stage) -> None:
        self.engine = connect(stage.servers.database_url("notification_service"), "test")
        self.feed = Feed("notification", self.engine)

    async def write(self, driver: Driver, transaction_id: int | None = None) -> UUID:
        """Log an event of a stream of its own, as of the transaction that is open where no other is said."""
        event_id = new_id()
        await driver.execute(
            "INSERT INTO events"
            " (event_id, stream_id, version, type, payload, correlation_id, causation_id, occurred_at, transaction_id)"
            " VALUES ($1, $1, 1, 'notification.sent.v1', '{}', $1, $1, now(),"
            " coalesce(CAST(CAST($2 AS text) AS xid8), pg_current_xact_id()))",
            event_id,
            None if transaction_id is None else str(transaction_id),
        )
        return event_id

    async def read(self, after: Place, limit: int = 10) -> tuple[Sequence[UUID], Place]:
        """Read a page: the ids on it, and where it goes on."""
        page = await self.feed.page(after, limit)
        return [event["event_id"] for event in page.events], page.next


@pytest_asyncio.fixture
async def log(stage: Stage) -> AsyncIterator[Log]:
    log = Log(stage)
    yield log
    await log.engine.dispose()


async def test_what_is_not_committed_holds_back_what_was_begun_after_it(log: Log) -> None:
    """Or it would be passed over: it is committed behind those who read on."""
    async with AsyncExitStack() as first:
        slow = await log.write(await first.enter_async_context(transacting(log.engine)))
        async with transacting(log.engine) as driver:
            quick = await log.write(driver)
        found, place = await log.read(BEGINNING)
        assert found == []
    assert (await log.read(place))[0] == [slow, quick]


async def test_a_lower_position_that_is_committed_later_is_not_passed_over(log: Log) -> None:
    """Pages follow the transactions, and the positions only within each."""
    async with AsyncExitStack() as second:
        async with transacting(log.engine) as first:
            await first.execute("SELECT pg_current_xact_id()")
            later = await log.write(await second.enter_async_context(transacting(log.engine)))
            earlier = await log.write(first)
        found, place = await log.read(BEGINNING)
        assert found == [earlier]
    assert (await log.read(place))[0] == [later]


async def test_transactions_are_counted_on(log: Log) -> None:
    """From 99 to 100, which as texts come the other way round."""
    async with transacting(log.engine) as driver:
        written = [await log.write(driver, number) for number in (99, 100, 101)]
    assert (await log.read(BEGINNING))[0] == written
    page = await log.feed.page(BEGINNING, 1)
    assert (page.events[0]["event_id"], page.behind) == (written[0], 2)


async def test_every_event_is_seen_once_while_many_write(log: Log) -> None:
    """However their transactions overlap, and whichever are rolled back."""
    written: set[UUID] = set()

    async def write() -> None:
        for number in range(TRANSACTIONS):
            with suppress(asyncpg.DivisionByZeroError):
                async with transacting(log.engine) as driver:
                    ids = [await log.write(driver) for _ in range(EVENTS)]
                    await driver.execute(f"SELECT 1 / {number % 5}")  # each fifth is rolled back
                written.update(ids)

    seen: list[UUID] = []
    place = BEGINNING
    writing = asyncio.gather(*(write() for _ in range(WRITERS)))

    async def all_seen() -> None:
        nonlocal place
        found, place = await log.read(place, limit=7)
        seen.extend(found)
        assert writing.done()
        assert len(seen) >= len(written)

    await eventually(all_seen)
    await writing
    assert len(seen) == len(written)
    assert set(seen) == written


async def test_how_many_follow_is_said(log: Log) -> None:
    """None at the end, whether or not the page is full."""
    async with transacting(log.engine) as driver:
        for _ in range(6):
            await log.write(driver)
    place, behind = BEGINNING, []
    for _ in range(4):
        page = await log.feed.page(place, 2)
        place = page.next
        behind.append(page.behind)
    assert behind == [4, 2, 0, 0]


async def walked(actor: Actor) -> list[dict[str, object]]:
    """Walk through the whole log of a service, two events at a time."""
    found: list[dict[str, object]] = []
    page = await looked(actor, "/events", limit=2)
    while page["events"]:
        found += page["events"]
        page = await looked(actor, "/events", limit=2, after=page["next"])
    return found


async def test_every_log_is_told_and_nothing_personal(stage: Stage, actors: dict[str, Actor]) -> None:
    """Private events too, in the order of each stream, with the token and the address masked."""
    await stage.offer(bow=1)
    async with LocalShop(stage, actors) as shop:
        order_id = (await shop.bought({"bow": 1}))["order_id"]
    await stage.auditor.quiescent()
    told = {service: await walked(actors[service]) for service in SERVICES}
    for service, events in told.items():
        assert {event["service"] for event in events} == {service}
        assert len(events) == await stage.auditor.count(f"{service}_service.events")
        of_order = await looked(actors[service], "/events", order=order_id)
        assert of_order == {"events": [e for e in events if e["order_id"] == order_id], "next": None, "behind": 0}
        assert [event["version"] for event in of_order["events"]] == list(range(1, len(of_order["events"]) + 1))
    placed, confirmed, *_ = told["order"]
    assert (placed["type"], placed["name"], placed["public"]) == ("order.placed.v1", "order.placed", True)
    assert placed["data"]["payment_token"] == confirmed["data"]["email"] == MASK  # type: ignore[index]  # a document
    assert {event["public"] for event in told["payment"]} == {True, False}
    assert "tok_approved" not in str(told)
    assert "@" not in str(told)


async def test_nothing_is_there_yet(stage: Stage) -> None:
    """Who reads an empty log goes on from its beginning."""
    actor = await stage.start("notification")
    nothing = {"events": [], "next": "0-0", "behind": 0}
    assert await looked(actor, "/events") == nothing
    assert await looked(actor, "/events", after="0-0") == nothing
    assert (await looked(actor, "/events", order=str(new_id())))["events"] == []


@pytest.mark.parametrize(
    "query",
    [
        *("after=x", "after=", "after=1", "after=-1-2", "after=1-2-3", f"after={'9' * 19}-1"),
        *("limit=0", "limit=501", "order=1", "after=0-0&order=018f0000-0000-7000-8000-000000000000"),
    ],
)
async def test_what_is_no_place_is_refused(stage: Stage, query: str) -> None:
    """And so is a page without a bound."""
    actor = await stage.start("notification")
    is_problem(await actor.http.get(f"/events?{query}", headers=KEY), 422)
