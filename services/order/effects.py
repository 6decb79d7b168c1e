"""What order does outside its transactions: it lets deadlines pass."""

from collections.abc import Mapping

from services.order.events import Deadline, DeadlinePassed
from services.order.settings import OrderSettings
from shared.intents import Performer, Reply
from shared.outcome import Intent
from shared.ports import Claim


def performers(_: OrderSettings) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent."""

    async def pass_deadline(claim: Claim) -> Reply:
        """Only the database judged that it is due; there is nothing else to ask."""
        return Reply(DeadlinePassed(order_id=claim.intent.order_id))

    return {Deadline: pass_deadline}
