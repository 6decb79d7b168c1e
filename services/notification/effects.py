"""What notification does outside: it hands mails to a mail server.

A mail is recorded once and delivered at least once: its Message-ID is always the same, so a mail server and a reader
can tell a second delivery from a second mail.
"""

from collections.abc import Awaitable, Callable, Mapping
from email.message import EmailMessage
from functools import partial
from typing import TypeAlias
from urllib.parse import urlsplit
from uuid import UUID

import aiosmtplib

from services.notification.events import Mail, MailAccepted, MailRefused, SendCancelled, SendConfirmed
from services.notification.settings import NotificationSettings
from shared.intents import Performer, Reply
from shared.outcome import Intent
from shared.ports import Claim
from shared.vocabulary.order import CancelReason

SMTP_TIMEOUT_S = 5.0

PERMANENT_FROM = 500
"""Reply codes of SMTP from here on are final."""

REASONS = {
    CancelReason.OUT_OF_STOCK: "not everything you ordered is in stock",
    CancelReason.PAYMENT_DECLINED: "your payment was not accepted",
    CancelReason.CUSTOMER_REQUEST: "you asked us to",
    CancelReason.DEADLINE_PASSED: "it took us too long",
}


Post: TypeAlias = Callable[[str, UUID, Mail, str], Awaitable[bool]]
"""Hands over a mail (address, order, kind, text): whether it was accepted, or refused for good. Raises where neither."""


def performers(settings: NotificationSettings) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent."""
    return performers_over(partial(_post, settings))


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


async def _post(settings: NotificationSettings, to: str, order_id: UUID, mail: Mail, text: str) -> bool:
    server = urlsplit(settings.smtp_url)
    message = _message(settings.mail_from, to, order_id, mail, text)
    try:
        await aiosmtplib.send(message, hostname=server.hostname, port=server.port, timeout=SMTP_TIMEOUT_S)
    except (aiosmtplib.SMTPException, ValueError) as error:
        if not _is_final(error):
            raise
        return False
    return True


def _is_final(error: aiosmtplib.SMTPException | ValueError) -> bool:
    """Tell a refusal for good (RFC 5321, 5yz) from trouble that may pass."""
    if isinstance(error, ValueError):  # the address cannot be written in SMTP at all
        return True
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        return all(refused.code >= PERMANENT_FROM for refused in error.recipients)
    if isinstance(error, aiosmtplib.SMTPNotSupported):  # the address needs what this server cannot do
        return True
    return isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= PERMANENT_FROM


def _message(sender: str, to: str, order_id: UUID, mail: Mail, text: str) -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = f"<{order_id}.{mail}@quartet.example>"
    message["From"] = sender
    message["To"] = to
    message["Subject"] = f"Your order {order_id} is {mail}"
    message.set_content(text)
    return message
