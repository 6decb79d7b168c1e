"""From a lane into the shell: a message is acked once all of it is taken care of, and not before."""

import asyncio

import orjson
import pytest

from shared.batch import Duplicate, Raised, Result
from shared.envelope import BEGINNING_MAX_BYTES, MESSAGE_MAX_BYTES
from shared.outcome import Ignored
from shared.shell import StoppedError
from tests.unit.shared.fakes import FakeClock
from tests.unit.shared.loop import until
from tests.unit.shared.receiving_stage import FakeMessage, Stage
from tests.unit.shared.wire import batch, cloud_event

MESSAGE_ID_MAX_BYTES = 255
"""Of any id or name in AMQP 0-9-1 (a short string)."""


@pytest.mark.parametrize("result", [Ignored("so"), Duplicate()], ids=repr)
async def test_acked_after_the_commit(clock: FakeClock, result: Result) -> None:
    """All events of a message go into the shell as one work, and the ack waits for all of them."""
    stage, message = Stage(clock, result, result), FakeMessage(batch(cloud_event(), cloud_event()))
    stage.shell.open.clear()
    handling = asyncio.create_task(stage.handle(message))
    await until(lambda: stage.shell.works)
    assert not message.acked
    stage.shell.open.set()
    await handling
    assert message.acked
    assert [len(work) for work in stage.shell.works] == [2]
    assert stage.publisher.published == []


async def test_acked_after_the_retry_copies_are_confirmed(clock: FakeClock) -> None:
    """An event that failed leaves its message; until the broker has it elsewhere, the message is not acked."""
    stage = Stage(clock, Ignored("so"), Raised(ValueError("no")))
    good, bad = cloud_event(), cloud_event(id="0190d1a5-0000-7000-8000-0000000000bb")
    message = FakeMessage(batch(good, bad))
    stage.publisher.open.clear()
    handling = asyncio.create_task(stage.handle(message))
    await until(lambda: stage.publisher.published)
    assert not message.acked
    stage.publisher.open.set()
    await handling
    assert message.acked
    (copy,) = stage.publisher.published
    assert orjson.loads(copy.body) == [bad]
    assert (copy.exchange, copy.routing_key) == ("payment.delay.1000ms", "payment.order.cancelled")
    assert (copy.message_id, copy.headers["quartet-attempts"]) == (bad["id"], 1)
    assert copy.headers["quartet-reason"] == "ValueError: no"


@pytest.mark.parametrize(("headers", "attempts"), [({}, 1), ({"quartet_attempts": 2}, 3)])
async def test_a_retry_knows_its_attempt(clock: FakeClock, headers: dict[str, int], attempts: int) -> None:
    """As many as its message says that failed, and this one."""
    stage = Stage(clock, Ignored("so"))
    await stage.handle(FakeMessage(batch(cloud_event()), **headers))
    assert [item.attempts for work in stage.shell.works for item in work] == [attempts]


async def test_nothing_of_the_old_headers_is_copied(clock: FakeClock) -> None:
    """A retry counts on, keeps the time of its first failure, and carries nothing that the broker wrote."""
    stage = Stage(clock, Raised(ValueError("no")))
    message = FakeMessage(
        batch(cloud_event()),
        quartet_attempts=1,
        quartet_first_failed_at="2026-01-01T00:00:00+00:00",
        x_death=[{"count": 1}],
        x_delivery_count=3,
        other="header",
    )
    await stage.handle(message)
    (copy,) = stage.publisher.published
    assert copy.exchange == "payment.delay.10000ms"
    assert copy.headers["quartet-first-failed-at"] == "2026-01-01T00:00:00+00:00"
    assert all(name.startswith("quartet-") for name in copy.headers)


async def test_what_is_too_long_to_be_sent_on_is_left_behind(clock: FakeClock) -> None:
    """A message's own id and time may fill their places; a letter that could not be published would block its lane."""
    stage = Stage(clock)
    message = FakeMessage(b"no batch", quartet_first_failed_at="9" * 200_000)
    message.message_id = "é" * 127
    await stage.handle(message)
    (letter,) = stage.publisher.published
    assert len(letter.message_id.encode()) < MESSAGE_ID_MAX_BYTES / 2
    assert letter.headers["quartet-first-failed-at"] == clock.now().isoformat()


async def test_unreadable_parts_are_set_aside(clock: FakeClock) -> None:
    """What cannot be read goes to the dead letters at once, named by its message; its neighbours are reacted to."""
    stage = Stage(clock, Ignored("so"))
    message = FakeMessage(batch(cloud_event(id="one"), cloud_event()))
    await stage.handle(message)
    (letter,) = stage.publisher.published
    assert (letter.exchange, letter.message_id) == ("payment.dead", "m1#0")
    assert letter.headers["quartet-error-class"] == "Unreadable"
    assert message.acked


async def test_what_cannot_be_taken_apart_is_set_aside_once(clock: FakeClock) -> None:
    """However many of its parts failed: a copy of the whole for each would be more than a broker can take."""
    stage, deep = Stage(clock, Raised(ValueError("no"))), b"[" * 300 + b"]" * 300
    readable = orjson.dumps(cloud_event())[:-1] + b',"x":' + deep + b"}"
    message = FakeMessage(b"[" + b",".join([deep, readable, deep, deep]) + b"]")
    await stage.handle(message)
    (copy,) = stage.publisher.published
    assert copy.body == message.body
    assert copy.exchange == "payment.delay.1000ms"  # one of its parts may succeed the next time
    assert message.acked


@pytest.mark.parametrize("body", [b"\x00", b"[" * 300 + b"]" * 300])
async def test_a_message_that_is_no_batch(clock: FakeClock, body: bytes) -> None:
    """Nothing of it enters the shell; it is set aside whole, and acked."""
    stage, message = Stage(clock), FakeMessage(body)
    await stage.handle(message)
    assert stage.shell.works == []
    assert stage.publisher.published[0].body == body
    assert message.acked


async def test_a_message_that_is_too_large(clock: FakeClock) -> None:
    """It is set aside without being read, whatever it holds; what is kept is its beginning, and how large it was."""
    event = batch(cloud_event())
    stage, large = Stage(clock), FakeMessage(event + b" " * MESSAGE_MAX_BYTES)
    await stage.handle(large)
    assert large.acked
    assert stage.shell.works == []
    (letter,) = stage.publisher.published
    assert letter.exchange == "payment.dead"
    assert letter.body.startswith(event)
    assert f"{len(large.body)} bytes".encode() in letter.body
    assert len(letter.body) < 2 * BEGINNING_MAX_BYTES
    assert str(letter.headers["quartet-reason"]).startswith(f"{len(large.body):,} bytes")


async def test_a_message_that_is_just_not_too_large(clock: FakeClock) -> None:
    """It is read as any other."""
    event = batch(cloud_event())
    stage, full = Stage(clock, Ignored("so")), FakeMessage(event + b" " * (MESSAGE_MAX_BYTES - len(event)))
    await stage.handle(full)
    assert len(stage.shell.works) == 1
    assert stage.publisher.published == []


async def test_a_message_that_nobody_can_handle(clock: FakeClock) -> None:
    """Whatever goes wrong with a message, it blocks no lane: it is tried again whole, and set aside in the end."""
    for attempts, exchange in enumerate(("payment.delay.1000ms", "payment.delay.10000ms", "payment.dead")):
        stage, message = Stage(clock), FakeMessage(batch(cloud_event()), quartet_attempts=attempts)
        await stage.handle(message)
        (copy,) = stage.publisher.published
        assert (copy.exchange, copy.body, copy.message_id) == (exchange, message.body, "m1#0")
        assert message.acked


async def test_a_shell_that_stops(clock: FakeClock) -> None:
    """What is not known to be committed when the process ends is not acked: it goes back to its lane as it is."""
    stage, message = Stage(clock), FakeMessage(batch(cloud_event()))
    stage.shell.error = StoppedError("this process is ending")
    await stage.handle(message)
    assert not message.acked
    assert stage.publisher.published == []


async def test_a_lost_ack_costs_a_duplicate(clock: FakeClock) -> None:
    """The message comes again and the inbox drops it: a lost connection breaks nothing here."""
    stage, message = Stage(clock, Ignored("so")), FakeMessage(batch(cloud_event()))
    message.ack_error = ConnectionError("gone")
    await stage.handle(message)
    assert not message.acked
