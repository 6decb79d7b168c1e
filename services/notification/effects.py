"""What notification does outside: it hands mails to a mail server.

A mail is recorded once and delivered at least once: its Message-ID is always the same, so a mail server and a reader
can tell a second delivery from a second mail.
"""

from collections.abc import Mapping
from email.message import EmailMessage
from urllib.parse import urlsplit
from uuid import UUID

import aiosmtplib

from services.notification.events import Mail, MailAccepted, SendCancelled, SendConfirmed
from services.notification.settings import NotificationSettings
from shared.intents import Performer, Reply
from shared.outcome import Intent
from shared.ports import Claim

SMTP_TIMEOUT_S = 5.0

REASONS = {
    "out_of_stock": "not everything you ordered is in stock",
    "payment_declined": "your payment was not accepted",
    "customer_request": "you asked us to",
    "deadline_passed": "it took us too long",
}


def performers(settings: NotificationSettings) -> Mapping[type[Intent], Performer]:
    """Say who carries out which intent."""
    server = urlsplit(settings.smtp_url)

    async def send(message: EmailMessage) -> None:
        await aiosmtplib.send(message, hostname=server.hostname, port=server.port, timeout=SMTP_TIMEOUT_S)

    async def send_confirmed(claim: Claim) -> Reply:
        """Send "confirmed"."""
        intent = claim.intent
        assert isinstance(intent, SendConfirmed)
        text = "Your order is confirmed. Thank you."
        await send(_message(settings.mail_from, intent.email, intent.order_id, Mail.CONFIRMED, text))
        return Reply(MailAccepted(order_id=intent.order_id, mail=Mail.CONFIRMED))

    async def send_cancelled(claim: Claim) -> Reply:
        """Send "cancelled"."""
        intent = claim.intent
        assert isinstance(intent, SendCancelled)
        text = f"Your order is cancelled, because {REASONS[intent.reason]}. You pay nothing."
        await send(_message(settings.mail_from, intent.email, intent.order_id, Mail.CANCELLED, text))
        return Reply(MailAccepted(order_id=intent.order_id, mail=Mail.CANCELLED))

    return {SendConfirmed: send_confirmed, SendCancelled: send_cancelled}


def _message(sender: str, to: str, order_id: UUID, mail: Mail, text: str) -> EmailMessage:
    message = EmailMessage()
    message["Message-ID"] = f"<{order_id}.{mail}@quartet.example>"
    message["From"] = sender
    message["To"] = to
    message["Subject"] = f"Your order {order_id} is {mail}"
    message.set_content(text)
    return message
