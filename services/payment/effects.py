"""What payment does outside: it charges and undoes at the provider."""

from collections.abc import Mapping
from dataclasses import dataclass

from loguru import logger

from services.payment.events import Charge, ChargeAnswered, ChargeResult, Undo, UndoAnswered
from services.payment.provider import Gateway, Guarded, Provider, ProviderError
from services.payment.settings import PaymentSettings
from shared.breaker import Breaker, BreakerLimits
from shared.clock import SystemClock
from shared.intents import NotAskedError, Performer, Reply, UnansweredError
from shared.outcome import Intent
from shared.ports import Claim, Clock


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a silent provider is borne with. See `PaymentSettings`."""

    charge_attempts_max: int
    charge_patience_s: float
    undo_alarm_after_s: float
    undo_alarm_interval_s: float

    def is_over(self, claim: Claim, error: UnansweredError) -> bool:
        """Say whether a charge that was not answered is given up on. Not having asked is no attempt, but takes time."""
        asked = not isinstance(error, NotAskedError)
        return claim.age_s >= self.charge_patience_s or (asked and claim.attempts >= self.charge_attempts_max)


def performers(settings: PaymentSettings) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent."""
    clock = SystemClock()
    provider = Guarded(Provider(settings.provider_url), Breaker("the payment provider", clock, BreakerLimits()))
    patience = Patience(
        settings.charge_attempts_max,
        settings.charge_patience_s,
        settings.undo_alarm_after_s,
        settings.undo_alarm_interval_s,
    )
    return performers_over(provider, patience, clock)


def performers_over(provider: Gateway, patience: Patience, clock: Clock) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent, at any provider."""
    alarm = _UndoAlarm(patience, clock)

    async def charge(claim: Claim) -> Reply:
        """Ask until the provider answers. Past the bound it is given up on: declined, and undone later."""
        intent = claim.intent
        assert isinstance(intent, Charge)
        try:
            result, charge_id = await provider.charge(intent.order_id, intent.money, intent.token)
        except (ProviderError, NotAskedError) as error:
            if not patience.is_over(claim, error):
                raise
            result, charge_id = ChargeResult.SILENT, ""
        answer = ChargeAnswered(order_id=intent.order_id, result=result, charge_id=charge_id)
        return Reply(answer, identity=(charge_id, result))

    async def undo(claim: Claim) -> Reply:
        """Ask for ever: only the provider can say what became of the charge."""
        try:
            result, undo_id = await provider.undo(claim.intent.order_id)
        except (ProviderError, NotAskedError):
            alarm.see(claim)
            raise
        answer = UndoAnswered(order_id=claim.intent.order_id, result=result, undo_id=undo_id)
        return Reply(answer, identity=(undo_id, result))

    return {Charge: charge, Undo: undo}


class _UndoAlarm:
    """Tells of undos that wait too long: once in an interval, and not with every attempt."""

    def __init__(self, patience: Patience, clock: Clock) -> None:
        self._patience = patience
        self._clock = clock
        self._quiet_until_s = 0.0

    def see(self, claim: Claim) -> None:
        """Look at an undo that has just not been answered."""
        now_s = self._clock.monotonic_s()
        if claim.age_s < self._patience.undo_alarm_after_s or now_s < self._quiet_until_s:
            return
        self._quiet_until_s = now_s + self._patience.undo_alarm_interval_s
        logger.bind(order_id=str(claim.intent.order_id)).error(
            "an undo waits for the provider since {:.0f} s, and maybe others do: money may be kept that must not be",
            claim.age_s,
        )
