"""A bound on the size of request bodies, before anything reads them.

FastAPI has one too; it answers an announced length in plain text, and here every error is a problem document.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import problem

BODY_MAX_BYTES = 64 * 1024


class BodyLimit:
    """ASGI middleware that answers 413 to a body over `BODY_MAX_BYTES`, announced or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body, which is small, and hand it on whole."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
            await self._app(scope, receive, send)
            return
        try:
            body = await _bounded(receive)
        except ConnectionError:  # nobody is there to be answered, and half a body is none
            return
        if body is None:
            answer = problem(413, f"A body may have {BODY_MAX_BYTES} bytes at the most.", {"Connection": "close"})
            await answer(scope, receive, send)
            return
        whole: Message | None = {"type": "http.request", "body": body, "more_body": False}

        async def replay() -> Message:
            nonlocal whole
            message, whole = whole, None
            return message if message is not None else await receive()

        await self._app(scope, replay, send)


async def _bounded(receive: Receive) -> bytes | None:
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        part: bytes = message.get("body", b"")
        body += part
        if len(body) > BODY_MAX_BYTES:
            return None
        if not message.get("more_body", False):
            return body
