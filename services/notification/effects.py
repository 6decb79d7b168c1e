"""What notification does outside: it hands mails to a mail server."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias
from uuid import UUID

from services.notification.events import Mail, MailAccepted, MailRefused, SendCancelled, SendConfirmed
from services.notification.mail_server import MailServer
from services.notification.settings import NotificationSettings
from shared.intents import Performer, Reply
from shared.outcome import Intent
from shared.ports import Claim
from shared.vocabulary.order import CancelReason

REASONS = {
    CancelReason.OUT_OF_STOCK: "not everything you ordered is in stock",
    CancelReason.PAYMENT_DECLINED: "your payment was not accepted",
    CancelReason.CUSTOMER_REQUEST: "you asked us to",
    CancelReason.DEADLINE_PASSED: "it took us too long",
}


Post: TypeAlias = Callable[[str, UUID, Mail, str], Awaitable[bool]]
"""Hands a mail over (address, order, kind, text): whether it was accepted or refused for good. Raises where neither."""


def performers(settings: NotificationSettings) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent."""
    return performers_over(MailServer(settings.smtp_url, settings.mail_from).post)


def performers_over(post: Post) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent, whichever way mails go."""

    async def send(to: str, order_id: UUID, mail: Mail, text: str) -> Reply:
        if await post(to, order_id, mail, text):
            return Reply(MailAccepted(order_id=order_id, mail=mail), identity=("accepted",))
        return Reply(MailRefused(order_id=order_id, mail=mail), identity=("refused",))

    async def send_confirmed(claim: Claim) -> Reply:
        """Send "confirmed"."""
        intent = claim.intent
        assert isinstance(intent, SendConfirmed)
        return await send(intent.email, intent.order_id, Mail.CONFIRMED, "Your order is confirmed. Thank you.")

    async def send_cancelled(claim: Claim) -> Reply:
        """Send "cancelled"."""
        intent = claim.intent
        assert isinstance(intent, SendCancelled)
        text = f"Your order is cancelled, because {REASONS[CancelReason(intent.reason)]}. You pay nothing."
        return await send(intent.email, intent.order_id, Mail.CANCELLED, text)

    return {SendConfirmed: send_confirmed, SendCancelled: send_cancelled}
