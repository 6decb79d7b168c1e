"""Whatever lies in a lane: the process lives, the lane goes on, and what is no event is set aside, each part once."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pamqp.commands import Basic

from shared.envelope import Envelope
from shared.runtime import Runtime
from shared.topology import dead_exchange, delay_exchange
from tests.integration.auditor import Auditor
from tests.integration.letters import ATTEMPTS_MAX, letter_of
from tests.integration.servers import TIERS_MS
from tests.integration.stage import Stage, consuming
from tests.integration.strangers import STRANGERS, WORST, Stranger, publish_raw
from tests.integration.wire import envelope, placed, send
from tests.unit.shared.test_properties import NANOSECONDS, NOT_UTF_8
from tests.waiting import eventually

pytestmark = pytest.mark.integration

LANE = "inventory.order.placed"
STOCK = 10_000
FUZZ = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # an example takes a broker's time: what failed is shown as it is
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # one service takes all the examples, as in life
)


@dataclass(slots=True)
class Lane:
    """A lane of a running service, and what must have become of all that was ever put into it."""

    auditor: Auditor
    runtime: Runtime
    dead: Callable[[], Awaitable[int]]
    """How many messages were set aside."""
    delayed: Callable[[], Awaitable[int]]
    """How many were sent to be tried again."""
    parts: list[bytes] = field(default_factory=list)

    async def put(self, stranger: Stranger) -> None:
        """Put a message in that holds no order."""
        await publish_raw(self.auditor, "order.events", "order.placed", stranger)
        self.parts += stranger.parts

    async def goes_on(self) -> None:
        """Put an order behind all that, and wait until it is reacted to."""
        good = envelope(placed(rosin=1))
        await send(self.auditor, good)

        async def reacted() -> None:
            assert await outcome(self.auditor, good) == ["advanced"]

        await eventually(reacted)
        await consuming(self.runtime)

    async def has_set_aside(self) -> None:
        """Wait until each part was set aside at once, and is kept once, as it was."""

        async def look() -> None:
            assert await self.auditor.depths([LANE, "inventory.dead"]) == {}
            rows = await self.auditor.rows("SELECT body, lane, error_class FROM inventory_service.dead_letters")
            assert sorted(bytes(row["body"]) for row in rows) == sorted(set(self.parts))
            assert {(row["lane"], row["error_class"]) for row in rows} == {(LANE, "Unreadable")}

        await eventually(look)
        assert await self.dead() >= len(self.parts)  # a confirm that is late is asked for again
        assert await self.delayed() == 0


async def outcome(auditor: Auditor, one: Envelope) -> list[str]:
    """Read what inventory's inbox says of an event."""
    rows = await auditor.rows("SELECT outcome FROM inventory_service.inbox WHERE event_id = $1", one.event_id)
    return [row["outcome"] for row in rows]


@pytest_asyncio.fixture
async def lane(stage: Stage) -> AsyncIterator[Lane]:
    """Inventory plays, and everything that it sets aside or back is overheard."""
    await stage.offer(rosin=STOCK)
    auditor, delays = stage.auditor, [delay_exchange("inventory", tier_ms) for tier_ms in TIERS_MS]
    overheard = auditor.overheard(dead_exchange("inventory")), auditor.overheard(*delays)
    async with overheard[0] as dead, overheard[1] as delayed, stage.runtime("inventory") as runtime:
        yield Lane(auditor, runtime, dead, delayed)


@FUZZ
@given(strangers=st.lists(STRANGERS, min_size=1, max_size=6))
async def test_whatever_lies_in_a_lane_is_set_aside_and_blocks_nothing(lane: Lane, strangers: list[Stranger]) -> None:
    """Any bytes, any JSON, orders with anything in them, with headers that lie: the order behind them is held."""
    for stranger in strangers:
        await lane.put(stranger)
    await lane.goes_on()
    await lane.has_set_aside()


@pytest.mark.parametrize("name", WORST)
async def test_the_worst_of_it(lane: Lane, name: str) -> None:
    """More, larger and deeper than any relay of ours would send."""
    await lane.put(Stranger(WORST[name]))
    await lane.goes_on()
    await lane.has_set_aside()


async def test_what_says_too_much_of_itself(lane: Lane) -> None:
    """Ids, counts and times of a message that no message could carry on, with more beside them: they are not copied.

    A message that is to be set aside, and cannot be published, would be tried for ever and take its lane's room.
    """
    times = ("9" * 130_720, "0001-01-01T00:00:00+14:00")
    for name, value in (("attempts", 2**63 - 1), ("attempts", True), *(("first-failed-at", at) for at in times)):
        properties = {"message_id": "x" * 255, "headers": {f"quartet-{name}": value}}
        for number in range(30):  # more than are taken at once
            await lane.put(Stranger(f"{name} {value!s:.9} {number}".encode(), properties))
    await lane.goes_on()
    await lane.has_set_aside()


async def test_an_order_that_cannot_be_stored_is_tried_and_set_aside_alone(stage: Stage) -> None:
    """It can be read, so it is tried as often as any event that fails; then it is kept, and its neighbours are held."""
    await stage.offer(rosin=STOCK)
    first, bad, last = [envelope(placed(rosin=1)) for _ in range(3)]
    bad = bad._replace(traceparent="00-\0")
    async with stage.runtime("inventory"):
        await send(stage.auditor, first, bad, last)
        letter = await letter_of(stage.auditor, LANE, bad)
    assert (letter["error_class"], letter["attempts"]) == ("UntranslatableCharacterError", ATTEMPTS_MAX)
    assert [await outcome(stage.auditor, one) for one in (first, bad, last)] == [["advanced"], ["dead"], ["advanced"]]


async def test_ids_that_stand_for_two_events_count_once(lane: Lane) -> None:
    """One id on different orders, in one message and in two: the first of them is held, and the lane goes on."""
    one = envelope(placed(rosin=1))
    others = [envelope(placed(rosin=2), one.event_id) for _ in range(2)]
    await send(lane.auditor, one, others[0])
    await send(lane.auditor, others[1])
    await lane.goes_on()
    assert await lane.auditor.value("SELECT reserved FROM inventory_service.stock") == 2
    assert (await lane.dead(), await lane.delayed()) == (0, 0)


class Raw(Basic.Properties):
    """Properties as bytes, for what no client library would write."""

    raw = b""

    def marshal(self) -> bytes:
        """Give them as they are."""
        return self.raw


@pytest.mark.parametrize("properties", [NANOSECONDS, NOT_UTF_8], ids=["a time in nanoseconds", "an id in Latin-1"])
async def test_properties_that_nobody_can_read(lane: Lane, properties: bytes) -> None:
    """The client library would end the connection, with all lanes on it, and again at the next one."""
    unreadable = Raw()
    unreadable.raw = properties
    async with await lane.auditor.channel() as channel:
        underlay = await channel.get_underlay_channel()
        await underlay.basic_publish(
            b"no event", exchange="order.events", routing_key="order.placed", properties=unreadable
        )
    lane.parts.append(b"no event")
    await lane.goes_on()
    await lane.has_set_aside()
