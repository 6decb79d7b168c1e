"""A mail server in this process, that counts who comes and what arrives."""

import asyncio
from typing import Any, Self

from aiosmtpd.smtp import SMTP

from tests.unit.shared.loop import passes


class Sink:
    """An async context. `answer` is what a recipient is refused with; "" accepts."""

    def __init__(self) -> None:
        self.mails = self.connections = 0
        self.answer = ""
        self._open: list[SMTP] = []

    async def __aenter__(self) -> Self:
        """Listen."""
        self._server = await asyncio.get_running_loop().create_server(self._connected, "127.0.0.1", 0)
        self.url = f"smtp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up on everybody."""
        self._server.close()
        await self.hang_up()

    async def hang_up(self) -> None:
        """Close every connection, and let the other side notice."""
        for one in self._open:
            if one.transport is not None:
                one.transport.close()
        self._open.clear()
        await passes()

    async def handle_RCPT(self, _: SMTP, __: Any, envelope: Any, address: str, ___: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Take or refuse a recipient."""
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, *_: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Count a mail."""
        self.mails += 1
        return "250 OK"

    def _connected(self) -> SMTP:
        self.connections += 1
        self._open.append(SMTP(self, loop=asyncio.get_running_loop()))
        return self._open[-1]
