"""The broker's own delivery limit: what counts towards it differs by version, and nothing is lost on any of them.

Sources: RabbitMQ's guide to quorum queues, "Poison Message Handling", and the release notes of 4.0 and 4.3.
"""

from typing import Any

import aio_pika
import pytest
import pytest_asyncio

from services.notification.reactions import reactions
from shared.broker.declare import declare_at
from shared.envelope import Envelope
from shared.topology import REDELIVERIES_MAX, dead_exchange
from tests.integration.handing_back import Version, Way, broker_version, counts, crash, hand_back, nack, reject, taken
from tests.integration.letters import ATTEMPTS_MAX, letter_of
from tests.integration.reacting import raising
from tests.integration.servers import topology
from tests.integration.stage import Stage
from tests.integration.wire import confirmed, envelope, send
from tests.waiting import DEADLINE_S, eventually

pytestmark = [pytest.mark.integration, pytest.mark.outage]

LANE = "notification.order.confirmed"
DEAD = dead_exchange("notification")
UNLIMITED = "limits.unlimited"
"""A queue like a lane, but for a limit and a place for what is past it."""
TRIED_AGAIN_S = 240.0
"""Past the 180 s after which the broker tries again to put a dead letter away (its settle timeout)."""
DEFAULT_LIMIT = 20
"""Of a queue that declares none, from RabbitMQ 4.0."""


@pytest_asyncio.fixture
async def version(stage: Stage) -> Version:
    """The broker's version, by its own word."""
    return await broker_version(stage.servers)


async def sent(stage: Stage) -> Envelope:
    """Put a message into the lane."""
    event = envelope(confirmed())
    await send(stage.auditor, event)
    return event


@pytest.mark.parametrize("way", [reject, nack, crash], ids=lambda way: way.__name__)
async def test_a_lane_keeps_a_message_up_to_its_own_limit_and_sets_it_aside_past_it(
    stage: Stage, version: Version, way: Way
) -> None:
    """Fifty times it comes again, whatever the broker's default; then it is with the dead letters, and says why.

    Where handing back is not counted it stays in its lane.
    """
    event = await sent(stage)
    await hand_back(stage.servers, LANE, REDELIVERIES_MAX, way)
    async with taken(stage.servers, LANE) as message:
        body = message.body
        await way(message)

    if not counts(way, version):
        assert (await stage.auditor.take(LANE)).body == body
        assert await stage.auditor.depths([DEAD]) == {}
        return
    letter = await stage.auditor.take(DEAD)
    assert (letter.body, letter.message_id) == (body, str(event.event_id))
    deaths: Any = letter.headers["x-death"]
    assert [(death["queue"], death["reason"]) for death in deaths] == [(LANE, "delivery_limit")]
    assert await stage.auditor.depths([LANE, DEAD]) == {}


async def test_what_is_past_the_limit_waits_for_a_place_to_go(stage: Stage) -> None:
    """With nowhere to put a dead letter the broker keeps it, through a restart, and delivers it once there is."""
    await stage.auditor.delete(DEAD)
    try:
        event = await sent(stage)
        await hand_back(stage.servers, LANE, REDELIVERIES_MAX + 1, reject)
    finally:
        await declare_at(topology(), stage.servers.broker_url("topology"))
    await stage.servers.broker.restart()  # it tries at once, or three minutes later where the place is not up by then
    assert (await stage.auditor.take(DEAD, TRIED_AGAIN_S)).message_id == str(event.event_id)


async def test_a_dead_letter_outlives_any_number_of_looks(stage: Stage) -> None:
    """Its queue leads nowhere else: with the default limit the broker would drop it in silence."""
    await stage.auditor.publish(DEAD, LANE, b"a letter")
    await hand_back(stage.servers, DEAD, REDELIVERIES_MAX, reject)
    assert (await stage.auditor.take(DEAD)).body == b"a letter"


async def test_a_queue_without_a_limit_of_its_own_has_one_from_4_0(stage: Stage, version: Version) -> None:
    """Twenty, and past it the message is dropped: the reason why each of our queues declares its own."""

    async def gone() -> None:
        assert await stage.auditor.depths([UNLIMITED]) == {}

    async with await stage.auditor.channel() as channel:
        await channel.declare_queue(UNLIMITED, durable=True, arguments={"x-queue-type": "quorum"})
        try:
            await channel.default_exchange.publish(aio_pika.Message(b"one"), UNLIMITED, timeout=DEADLINE_S)
            await hand_back(stage.servers, UNLIMITED, DEFAULT_LIMIT + 1, reject)
            if version >= (4, 0):
                await eventually(gone)
            else:
                assert (await stage.auditor.take(UNLIMITED)).body == b"one"
        finally:
            await channel.queue_delete(UNLIMITED)


async def test_restarts_eat_the_brokers_limit_and_none_of_our_attempts(stage: Stage) -> None:
    """A consumer that goes away hands back all that it had fetched, counted by the broker as tried; we count anew."""
    restarts = ATTEMPTS_MAX + 1
    event = await sent(stage)
    await hand_back(stage.servers, LANE, restarts, crash)
    async with taken(stage.servers, LANE) as message:
        assert message.headers["x-delivery-count"] == restarts
    tries = 0

    def fails(_: object) -> bool:
        nonlocal tries
        tries += 1
        return True

    async with stage.runtime("notification", raising(reactions, fails)):
        await letter_of(stage.auditor, LANE, event)
        await stage.auditor.done("notification")
    assert tries == ATTEMPTS_MAX
