"""The mail server, as notification speaks to it: over a few connections that stay open between mails.

A mail is recorded once and delivered at least once: its Message-ID is always the same, so a mail server and a reader
can tell a second delivery from a second mail.
"""

import asyncio
from email.message import EmailMessage
from urllib.parse import urlsplit
from uuid import UUID

import aiosmtplib

from services.notification.events import Mail

SMTP_TIMEOUT_S = 5.0
CONNECTIONS_MAX = 8
IDLE_MAX_S = 20.0
"""Servers hang up on who is silent for long (RFC 5321, 4.5.3.2.7: five minutes); a connection that old is not used."""
PERMANENT_FROM = 500
"""Reply codes of SMTP from here on are final."""


class Connection:
    """One connection, opened when there is something to send, and again when it may have gone stale."""

    def __init__(self, host: str | None, port: int | None) -> None:
        self._smtp = aiosmtplib.SMTP(hostname=host, port=port, timeout=SMTP_TIMEOUT_S)
        self._used_at_s = 0.0

    async def send(self, message: EmailMessage) -> None:
        """Send a mail.

        Raises:
            SMTPException, ValueError: it is not accepted, or nobody knows whether it is.
        """
        now_s = asyncio.get_running_loop().time()
        if now_s - self._used_at_s > IDLE_MAX_S:
            self._smtp.close()
        try:
            if not self._smtp.is_connected:
                await self._smtp.connect()
            await self._smtp.send_message(message)
        except BaseException:  # whatever state the conversation is in, the next one begins anew
            self._smtp.close()
            raise
        self._used_at_s = now_s


class MailServer:
    """Hands mails over, at most `CONNECTIONS_MAX` at once."""

    def __init__(self, url: str, sender: str) -> None:
        server = urlsplit(url)
        self._sender = sender
        self._connections: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        for _ in range(CONNECTIONS_MAX):
            self._connections.put_nowait(Connection(server.hostname, server.port))

    async def post(self, to: str, order_id: UUID, mail: Mail, text: str) -> bool:
        """Hand one mail over: whether it was accepted, or refused for good.

        Raises:
            SMTPException: neither; ask again later.
        """
        try:
            message = _message(self._sender, to, order_id, mail, text)
        except Exception:  # noqa: BLE001 - at what is no address the standard library fails as its parser happens to
            return False
        connection = await self._connections.get()
        try:
            await connection.send(message)
        except (aiosmtplib.SMTPException, ValueError) as error:
            if not _is_final(error):
                raise
            return False
        finally:
            self._connections.put_nowait(connection)
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
