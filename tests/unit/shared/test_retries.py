"""What becomes of an event that failed."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest

from shared.ports import Message, NotConfirmedError
from shared.retries import ATTEMPTS_READ_MAX, REASON_MAX_CHARACTERS, Failure, Retries, attempts_so_far
from shared.topology import DELAY_TIERS_MS, Lane
from shared.vocabulary.inventory import StockReserved
from tests.unit.shared.fakes import START, FakeClock, FakePublisher
from tests.unit.shared.loop import until

LANE = Lane("payment", StockReserved)
FAILURE = Failure("one", b"[1]", 1, "ValueError", "ValueError: no", START)
TIERS_MS = (1_000, 10_000)


@pytest.fixture
def publisher() -> FakePublisher:
    return FakePublisher()


@pytest.fixture
def retries(publisher: FakePublisher, clock: FakeClock) -> Retries:
    return Retries(publisher, clock, TIERS_MS)


@pytest.mark.parametrize(
    ("attempts", "exchange"),
    [
        (1, "payment.delay.1000ms"),
        (2, "payment.delay.10000ms"),
        (3, "payment.dead"),
        (1_000, "payment.dead"),
    ],
)
async def test_tiers(retries: Retries, publisher: FakePublisher, attempts: int, exchange: str) -> None:
    """Each attempt waits in the next tier, addressed to its own lane; past the last it is with the dead letters."""
    await retries.set_back(LANE, [replace(FAILURE, attempts=attempts)])
    (message,) = publisher.published
    assert (message.exchange, message.routing_key) == (exchange, "payment.stock.reserved")
    assert (message.body, message.message_id) == (b"[1]", "one")


@pytest.mark.parametrize(("attempts", "tier_ms"), [(1, 1_000), (2, 10_000)])
async def test_jitter(retries: Retries, publisher: FakePublisher, attempts: int, tier_ms: int) -> None:
    """A crowd that failed together comes back spread out, none later than its tier, none before three quarters."""
    failures = [replace(FAILURE, event_id=str(number), attempts=attempts) for number in range(100)]
    await retries.set_back(LANE, failures)
    waits_ms = [message.expiration_ms or 0 for message in publisher.published]
    assert all(0.75 * tier_ms <= wait_ms <= tier_ms for wait_ms in waits_ms)
    assert len(set(waits_ms)) > 50


async def test_dead_letters_do_not_expire(retries: Retries, publisher: FakePublisher) -> None:
    """What is set aside stays until a person has looked at it."""
    await retries.set_back(LANE, [replace(FAILURE, attempts=3)])
    assert publisher.published[0].expiration_ms is None


async def test_what_no_retry_helps_is_set_aside_at_once(retries: Retries, publisher: FakePublisher) -> None:
    """What cannot be read today cannot be read in a minute."""
    await retries.set_back(LANE, [replace(FAILURE, retryable=False)])
    assert publisher.published[0].exchange == "payment.dead"


@pytest.mark.parametrize("attempts", [1, 3])
async def test_fresh_headers(retries: Retries, publisher: FakePublisher, attempts: int) -> None:
    """On a copy that waits and on a dead letter the headers are ours alone, and none begins with `x-`.

    The broker keeps its own count in those; and of a dead letter a person reads what happened.
    """
    await retries.set_back(LANE, [replace(FAILURE, attempts=attempts)])
    assert publisher.published[0].headers == {
        "quartet-attempts": attempts,
        "quartet-lane": "payment.stock.reserved",
        "quartet-error-class": "ValueError",
        "quartet-reason": "ValueError: no",
        "quartet-first-failed-at": START.isoformat(),
        "quartet-last-failed-at": START.isoformat(),
    }


async def test_the_first_failure_is_remembered(retries: Retries, publisher: FakePublisher) -> None:
    """A later attempt keeps the time of the first."""
    await retries.set_back(LANE, [replace(FAILURE, first_failed_at="2026-01-01T00:00:00+00:00")])
    headers = publisher.published[0].headers
    assert headers["quartet-first-failed-at"] == "2026-01-01T00:00:00+00:00"
    assert headers["quartet-last-failed-at"] == START.isoformat()


async def test_reasons_are_bounded(retries: Retries, publisher: FakePublisher) -> None:
    """A reason of any length fits into a header."""
    await retries.set_back(LANE, [replace(FAILURE, reason="x" * 100_000)])
    assert publisher.published[0].headers["quartet-reason"] == "x" * REASON_MAX_CHARACTERS


async def test_waits_until_every_copy_is_confirmed(
    retries: Retries, publisher: FakePublisher, clock: FakeClock
) -> None:
    """What the broker does not confirm is published again, it alone, with longer and longer pauses."""
    publisher.refuse(False, True, True, True, False, True, True, False)
    await retries.set_back(LANE, [replace(FAILURE, event_id=each) for each in "abc"])
    assert [message.message_id for message in publisher.published] == ["a", "b", "c", "b", "c", "b", "b", "b"]
    assert clock.slept_s == [0.1, 0.2, 0.4, 0.8]


async def test_a_copy_that_nothing_was_said_about_is_not_confirmed(clock: FakeClock) -> None:
    """Whoever answers for fewer messages than it was given has a mistake, and the message must not be acked for it."""

    class Forgetful(FakePublisher):
        async def publish(self, messages: Iterable[Message]) -> Sequence[NotConfirmedError | None]:
            return (await super().publish(messages))[1:]

    with pytest.raises(ValueError, match="shorter"):
        await Retries(Forgetful(), clock, TIERS_MS).set_back(LANE, [FAILURE, replace(FAILURE, event_id="two")])


async def test_does_not_return_before(retries: Retries, publisher: FakePublisher) -> None:
    """As long as the broker is silent, the message that the failure came in cannot be acked."""
    publisher.open.clear()
    setting_back = asyncio.create_task(retries.set_back(LANE, [FAILURE]))
    await until(lambda: publisher.published)
    assert not setting_back.done()
    publisher.open.set()
    await setting_back


@pytest.mark.parametrize(
    ("headers", "attempts"),
    [
        ({}, 0),
        ({"quartet-attempts": 1}, 1),
        ({"quartet-attempts": 2}, 2),
        ({"quartet-attempts": 0}, 0),
        ({"quartet-attempts": -5}, 0),
        ({"quartet-attempts": "2"}, 0),
        ({"quartet-attempts": None}, 0),
        ({"quartet-attempts": 1.5}, 0),
        ({"quartet-attempts": ATTEMPTS_READ_MAX}, ATTEMPTS_READ_MAX),
        ({"quartet-attempts": ATTEMPTS_READ_MAX + 1}, 0),
        ({"x-delivery-count": 7}, 0),
    ],
)
def test_attempts_so_far(headers: dict[str, object], attempts: int) -> None:
    """Only our own count counts, and only where it is one."""
    assert attempts_so_far(headers) == attempts


def test_the_tiers_of_the_design() -> None:
    """A second, ten, a minute, then the dead letters."""
    assert DELAY_TIERS_MS == (1_000, 10_000, 60_000)
