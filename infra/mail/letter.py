"""A message as it came, and as it can be read. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message


@dataclass(frozen=True, slots=True)
class Letter:
    """What is kept of a message; `message_id` is None where it had none. Senders and recipients are the
    envelope's."""

    message_id: str | None
    sender: str
    recipients: tuple[str, ...]
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A letter in the store. The times are UTC, ISO 8601; `arrivals` is how often its Message-ID came."""

    number: int
    letter: Letter
    arrivals: int
    received_at: str
    last_received_at: str


@dataclass(frozen=True, slots=True)
class Page:
    """Letters in the order asked for; `more` when others follow."""

    letters: Sequence[Kept]
    more: bool


def read_letter(sender: str, recipients: Sequence[str], content: bytes) -> Letter:
    """Read a message, whatever it looks like: what cannot be decoded is shown as it is."""
    message = message_from_bytes(content)
    message_id = _header(message, "message-id").strip()
    return Letter(
        message_id=message_id or None,
        sender=_storable(sender),
        recipients=tuple(_storable(recipient) for recipient in recipients),
        subject=_header(message, "subject"),
        body=_body(message),
    )


def _header(message: Message, name: str) -> str:
    value = message.get(name, "")
    try:
        return _storable(str(make_header(decode_header(value))))
    except (LookupError, ValueError, MessageError):
        return _storable(str(value))


def _body(message: Message) -> str:
    text = next((part for part in message.walk() if part.get_content_type() == "text/plain"), None)
    if text is None:
        text = next((part for part in message.walk() if not part.is_multipart()), message)
    content = text.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    try:
        readable = content.decode(text.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # a charset that nobody knows
        readable = content.decode("utf-8", "replace")
    return _storable(readable.replace("\r\n", "\n"))


def _storable(text: str) -> str:
    # Bytes that were no UTF-8 travel as surrogates, which nothing further on can encode.
    return text.encode("utf-8", "replace").decode()
