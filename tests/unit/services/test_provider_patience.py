"""A provider that is away: how long a charge is borne with, that an undo is for ever, and who is told."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from loguru import logger

from services.order.settings import OrderSettings
from services.payment.effects import Patience, performers_over
from services.payment.events import Charge, ChargeAnswered, ChargeResult, Undo, UndoResult
from services.payment.provider import Guarded, ProviderError
from services.payment.settings import PaymentSettings
from shared.breaker import Breaker, BreakerLimits, OpenError
from shared.ids import new_id
from shared.intents import NotAskedError
from shared.outcome import Intent
from shared.ports import Claim
from shared.vocabulary.money import Money
from tests.unit.services.builders import ORDER, PRICE, TOKEN
from tests.unit.shared.fakes import FakeClock

PATIENCE = Patience(charge_attempts_max=3, charge_patience_s=40, undo_alarm_after_s=300, undo_alarm_interval_s=60)
AWAY = OpenError("left in peace", 1.0)
SILENT = ProviderError("no answer")


class Gateway:
    """A provider that always fails with `error`; counts how often it is asked."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.asked = 0

    async def charge(self, order_id: UUID, money: Money, token: str) -> tuple[ChargeResult, str]:
        self.asked += 1
        raise self.error

    async def undo(self, order_id: UUID) -> tuple[UndoResult, str]:
        self.asked += 1
        raise self.error


def claim(intent: Intent, attempts: int = 1, age_s: float = 0.0) -> Claim:
    return Claim(new_id(), intent, ORDER, ORDER, None, attempts, 1, age_s=age_s)


CHARGE = Charge(order_id=ORDER, money=PRICE, token=TOKEN)
UNDO = Undo(order_id=ORDER)


@pytest.mark.parametrize(
    ("error", "attempts", "age_s", "given_up"),
    [
        (SILENT, 2, 39, False),
        (SILENT, 3, 0, True),
        (SILENT, 1, 40, True),
        (AWAY, 3, 0, False),
        (AWAY, 99, 39, False),
        (AWAY, 1, 40, True),
    ],
)
async def test_how_long_a_charge_is_borne_with(error: Any, attempts: int, age_s: float, given_up: bool) -> None:
    """So many asks, or so long: but not to have asked is no ask, however often it happened."""
    charge = performers_over(Gateway(error), PATIENCE, FakeClock())[Charge]
    if given_up:
        reply = await charge(claim(CHARGE, attempts, age_s))
        assert reply.event == ChargeAnswered(order_id=ORDER, result=ChargeResult.SILENT, charge_id="")
    else:
        with pytest.raises(type(error)):
            await charge(claim(CHARGE, attempts, age_s))


def test_the_reason_is_the_true_one() -> None:
    """A payment gives up on its provider before the order gives up on its payment."""
    patience_s = PaymentSettings.model_fields["charge_patience_s"].default
    assert patience_s < OrderSettings.model_fields["order_deadline_s"].default


@pytest.fixture
def errors() -> Iterator[list[str]]:
    """What is logged as an error."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message.record["extra"]["order_id"])), level="ERROR")
    yield lines
    logger.remove(sink)


@pytest.mark.parametrize("error", [SILENT, AWAY], ids=["silent", "not asked"])
async def test_an_undo_is_asked_for_ever_and_told_of(error: Exception, errors: list[str]) -> None:
    """However old it is; a line once in an interval, and not with every attempt nor for every order."""
    clock = FakeClock()
    undo = performers_over(Gateway(error), PATIENCE, clock)[Undo]
    told = []
    for age_s in (0, 299, 300, 301, 360, 100_000):
        with pytest.raises((ProviderError, NotAskedError)):
            await undo(claim(UNDO, attempts=1_000, age_s=age_s))
        told.append(len(errors))
        await clock.sleep(20)
    assert told == [0, 0, 1, 1, 1, 2]
    assert set(errors) == {str(ORDER)}


async def test_a_provider_that_is_away_is_left_in_peace() -> None:
    """Charges and undos go through one breaker: what one of them hears spares the other."""
    gateway = Gateway(SILENT)
    guarded = Guarded(gateway, Breaker("it", FakeClock(), BreakerLimits(failures_max=4)))
    for _ in range(2):
        with pytest.raises(ProviderError):
            await guarded.charge(ORDER, PRICE, TOKEN)
        with pytest.raises(ProviderError):
            await guarded.undo(ORDER)
    for ask in (guarded.undo(ORDER), guarded.charge(ORDER, PRICE, TOKEN)):
        with pytest.raises(OpenError):
            await ask
    assert gateway.asked == 4
