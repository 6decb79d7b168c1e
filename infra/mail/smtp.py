"""The SMTP side: RFC 5321 by aiosmtpd, on the program's own loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.mail.letter import read_letter
from infra.mail.store import NotKept, Store

MESSAGE_MAX_BYTES = 256 * 1024
RECIPIENTS_MAX = 100
SESSIONS_MAX = 200
IDLE_MAX_S = 300  # RFC 5321 4.5.3.2.7
NAME = "quartet-mail"


class Mailroom:
    """Answers the commands of a session that matter here."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def handle_RCPT(  # noqa: N802  (the name is aiosmtpd's)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept RECIPIENTS_MAX recipients for a message."""
        if len(envelope.rcpt_tos) >= RECIPIENTS_MAX:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802  (the name is aiosmtpd's)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Acknowledge a message once it is on the disk; ask to try again when it is not."""
        content = envelope.content
        assert isinstance(content, bytes)
        try:
            letter = read_letter(envelope.mail_from or "", envelope.rcpt_tos, content)
        except RecursionError:
            return "554 5.6.0 Parts within parts, too deep to read"
        try:
            await self.store.keep(letter)
        except NotKept:
            return "451 4.3.0 Could not be kept, try again"
        return "250 2.0.0 Kept"


class Conversation(SMTP):
    """One session, known to `open_sessions` from its first to its last moment."""

    def __init__(self, mailroom: Mailroom, open_sessions: set["Conversation"]) -> None:
        super().__init__(
            mailroom,
            hostname=NAME,
            ident=NAME,
            data_size_limit=MESSAGE_MAX_BYTES,
            enable_SMTPUTF8=True,
            timeout=IDLE_MAX_S,
            loop=asyncio.get_running_loop(),
        )
        self._open_sessions = open_sessions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless SESSIONS_MAX are open."""
        self._open_sessions.add(self)
        super().connection_made(transport)
        if len(self._open_sessions) > SESSIONS_MAX:
            self.hang_up("421 4.3.2 Too many sessions")

    def connection_lost(self, error: Exception | None) -> None:
        """End."""
        self._open_sessions.discard(self)
        super().connection_lost(error)

    def hang_up(self, why: str) -> None:
        """Close the connection; what was not acknowledged, the sender sends again."""
        if self.transport is not None:
            cast("asyncio.WriteTransport", self.transport).write(f"{why}\r\n".encode())
            self.transport.close()


@asynccontextmanager
async def listening(store: Store, host: str, port: int) -> AsyncIterator[int]:
    """Take mail for as long as the block runs; yields the port, and raises OSError where it is taken."""
    mailroom, sessions = Mailroom(store), set[Conversation]()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(mailroom, sessions), host, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for session in list(sessions):
            session.hang_up("421 4.3.2 Closing")
        # Their end is not waited for: a peer that reads nothing would hold up the stop.
