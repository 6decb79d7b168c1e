"""A bound on what a request may carry."""

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_MAX_BYTES = 16 * 1024


class BodyLimit:
    """Breaks off with 413 when a body grows past BODY_MAX_BYTES, whatever its headers claim."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the bytes as they are read."""
        read_bytes = 0

        async def counted() -> Message:
            nonlocal read_bytes
            message = await receive()
            read_bytes += len(message.get("body", b""))
            if read_bytes > BODY_MAX_BYTES:
                raise HTTPException(413, f"A request carries {BODY_MAX_BYTES} bytes at most")
            return message

        await self.app(scope, counted, send)
