"""What payment does outside: it charges and undoes at the provider."""

from collections.abc import Mapping

from services.payment.events import Charge, ChargeAnswered, ChargeResult, Undo, UndoAnswered
from services.payment.provider import Gateway, Provider, ProviderError
from services.payment.settings import PaymentSettings
from shared.intents import Performer, Reply
from shared.outcome import Intent
from shared.ports import Claim


def performers(settings: PaymentSettings) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent."""
    return performers_over(Provider(settings.provider_url), settings.charge_attempts_max)


def performers_over(provider: Gateway, charge_attempts_max: int) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent, at any provider."""

    async def charge(claim: Claim) -> Reply:
        """Ask until the provider answers. Past the bound it is given up on: declined, and undone later."""
        intent = claim.intent
        assert isinstance(intent, Charge)
        try:
            result, charge_id = await provider.charge(intent.order_id, intent.money, intent.token)
        except ProviderError:
            if claim.attempts < charge_attempts_max:
                raise
            result, charge_id = ChargeResult.SILENT, ""
        answer = ChargeAnswered(order_id=intent.order_id, result=result, charge_id=charge_id)
        return Reply(answer, identity=(charge_id, result))

    async def undo(claim: Claim) -> Reply:
        """Ask for ever: only the provider can say what became of the charge."""
        result, undo_id = await provider.undo(claim.intent.order_id)
        answer = UndoAnswered(order_id=claim.intent.order_id, result=result, undo_id=undo_id)
        return Reply(answer, identity=(undo_id, result))

    return {Charge: charge, Undo: undo}
