"""`python -m tests.integration.stopping`: payment, in a process that stops itself the first time it charges.

Where, says the environment: `QUARTET_STOPS`, before it charges or after.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from signal import SIGSTOP
from uuid import UUID

from services.payment.__main__ import service
from services.payment.effects import performers_over
from services.payment.events import ChargeResult
from services.payment.provider import Provider
from services.payment.settings import PaymentSettings
from shared.clock import SystemClock
from shared.intents import Performer
from shared.outcome import Intent
from shared.vocabulary.money import Money
from tests.integration.gates import patience


class Stopping(Provider):
    """The provider's client in a process that is taken off its processor at the worst moment."""

    async def charge(self, order_id: UUID, money: Money, token: str) -> tuple[ChargeResult, str]:
        """Stop, as SIGSTOP from outside would; whoever sends SIGCONT has it go on where it was."""
        if os.environ["QUARTET_STOPS"] == "before":
            os.kill(os.getpid(), SIGSTOP)
            return await super().charge(order_id, money, token)
        answer = await super().charge(order_id, money, token)
        os.kill(os.getpid(), SIGSTOP)
        return answer


def performers(settings: PaymentSettings) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent."""
    return performers_over(Stopping(settings.provider_url), patience(), SystemClock())


if __name__ == "__main__":
    replace(service, performers=performers).run()
