"""The real publisher over a broker in memory: what it asks of the broker, and what it takes for an answer."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any, cast

import aio_pika
import pytest
from aio_pika import RobustConnection
from aio_pika.exceptions import DeliveryError
from pamqp.commands import Basic

from shared.broker.publisher import IN_FLIGHT_MAX_MESSAGES, PUBLISH_TIMEOUT_S, AmqpPublisher
from shared.envelope import CONTENT_TYPE
from shared.ports import Message, NotConfirmedError
from shared.relay import RelayLimits


class FakeBroker:
    """A connection, its channel and its exchanges in one: it acks, unless told what else to do with a body."""

    def __init__(self) -> None:
        self.answers: dict[bytes, Any] = {}
        self.published: list[tuple[str, str, bool, aio_pika.Message]] = []
        self.channels: list[dict[str, bool]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.in_flight = 0
        self.in_flight_most = 0

    async def channel(self, **options: bool) -> "FakeBroker":
        self.channels.append(options)
        return self

    async def get_exchange(self, name: str, *, ensure: bool) -> "FakeExchange":
        return FakeExchange(self, name)


class FakeExchange:
    def __init__(self, broker: FakeBroker, name: str) -> None:
        self._broker = broker
        self._name = name

    async def publish(self, message: aio_pika.Message, *, routing_key: str, mandatory: bool) -> Any:
        broker = self._broker
        broker.published.append((self._name, routing_key, mandatory, message))
        broker.in_flight += 1
        broker.in_flight_most = max(broker.in_flight, broker.in_flight_most)
        try:
            await broker.open.wait()
            await asyncio.sleep(0.001)  # a broker's own time, which jumps
        finally:
            broker.in_flight -= 1
        answer = broker.answers.get(message.body, Basic.Ack(1))
        if isinstance(answer, BaseException):
            raise answer
        return answer


class Publisher(AmqpPublisher):
    """The real one, but for the way to the broker."""

    def __init__(self) -> None:
        super().__init__("amqp://nowhere", "test")
        self.broker = FakeBroker()

    async def _connected(self) -> RobustConnection:
        return cast("RobustConnection", self.broker)


@pytest.fixture
async def publisher() -> Publisher:
    return Publisher()


def message(body: bytes = b"[]", expiration_ms: int | None = None) -> Message:
    return Message("order.events", "order.placed", body, "one", {"quartet-attempts": 2}, expiration_ms)


async def test_persistent_mandatory_named(publisher: Publisher) -> None:
    """A message survives the broker, must find a queue, and carries our id, our headers and the batch's type."""
    assert await publisher.publish([message()]) == [None]
    ((exchange, routing_key, mandatory, sent),) = publisher.broker.published
    assert (exchange, routing_key, mandatory) == ("order.events", "order.placed", True)
    assert sent.delivery_mode is aio_pika.DeliveryMode.PERSISTENT
    assert (sent.content_type, sent.body) == (CONTENT_TYPE, b"[]")
    assert (sent.message_id or "").startswith("one.")
    assert dict(sent.headers) == {"quartet-attempts": 2}
    assert sent.expiration is None


async def test_message_ids_are_unique(publisher: Publisher) -> None:
    """aio-pika knows a returned message by its id alone: two of one id would be taken for each other."""
    await publisher.publish([message()] * 3)
    await publisher.publish([message()])
    assert len({sent.message_id for *_, sent in publisher.broker.published}) == 4


async def test_expiration_is_in_seconds_there(publisher: Publisher) -> None:
    """The port counts milliseconds, aio-pika seconds; 750 ms stay 750 ms."""
    await publisher.publish([message(expiration_ms=750)])
    assert publisher.broker.published[0][3].properties.expiration == "750"


async def test_one_channel_that_tells_of_returns(publisher: Publisher) -> None:
    """Without `on_return_raises` an unroutable message would look like a confirmed one."""
    await publisher.publish([message()] * 5)
    await publisher.publish([message()])
    assert publisher.broker.channels == [{"publisher_confirms": True, "on_return_raises": True}]


@pytest.mark.parametrize(
    "answer",
    [
        Basic.Nack(1),
        Basic.Reject(1),
        None,
        DeliveryError(None, Basic.Return()),
        ConnectionError("gone"),
        TimeoutError(),
        asyncio.CancelledError(),
    ],
    ids=repr,
)
async def test_nothing_but_an_ack_confirms(publisher: Publisher, answer: object) -> None:
    """Whatever else ends a publish, even the cancellation of a lost heartbeat, concerns that message alone."""
    publisher.broker.answers[b"bad"] = answer
    first, bad, last = await publisher.publish([message(b"1"), message(b"bad"), message(b"2")])
    assert (first, last) == (None, None)
    assert isinstance(bad, NotConfirmedError)


async def test_a_silent_broker(publisher: Publisher) -> None:
    """A broker that is frozen is waited for so long and no longer: well within half of the outbox's grace."""
    publisher.broker.open.clear()
    began_s = asyncio.get_running_loop().time()
    answers = await publisher.publish([message()] * 3)
    assert [str(answer) for answer in answers] == ["TimeoutError: "] * 3
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(PUBLISH_TIMEOUT_S, abs=0.1)
    assert RelayLimits().grace_s / 2 > PUBLISH_TIMEOUT_S


async def test_in_flight_is_bounded(publisher: Publisher) -> None:
    """So many messages are on their way at once, and no more."""
    answers = await publisher.publish([message()] * (IN_FLIGHT_MAX_MESSAGES + 50))
    assert set(answers) == {None}
    assert publisher.broker.in_flight_most == IN_FLIGHT_MAX_MESSAGES


class Held:
    """Stands for a big body, which a weak reference can point to."""


class VainExchange:
    """Fails as aiormq does: by a future that its frame holds, beside the body."""

    def __init__(self, error: Exception) -> None:
        self.bodies: list[weakref.ref[Held]] = []
        self._error: Exception | None = error

    async def publish(self, *_: object, **__: object) -> None:
        body = Held()
        self.bodies.append(weakref.ref(body))
        confirmation = asyncio.get_running_loop().create_future()
        confirmation.set_exception(cast("Exception", self._error))
        self._error = None
        try:
            await confirmation
        except TimeoutError as late:
            raise ConnectionError("and then the channel was closed") from late


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Let nobody look for circles of garbage."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("error", [DeliveryError(None, Basic.Return()), TimeoutError()], ids=repr)
async def test_nothing_is_kept_of_what_was_published_in_vain(publisher: Publisher, error: Exception) -> None:
    """It is published again and again, and it may be long until the garbage collector comes by."""
    exchange = VainExchange(error)
    publisher._exchanges["order.events"] = cast("Any", exchange)
    del error
    (told,) = await publisher.publish([message()])
    assert isinstance(told, NotConfirmedError)
    await asyncio.sleep(0)  # the loop lets go of what it has just run
    (body,) = exchange.bodies
    assert body() is None
