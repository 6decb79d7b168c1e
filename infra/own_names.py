"""Under which names a program is spoken to: a page that had its own name point here (DNS rebinding) reads nothing."""

from collections.abc import Collection
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

PROBE = "/livez"
"""It tells nothing, and whoever asks from beside the process names nobody."""


class OwnNames:
    """ASGI middleware: what comes under any other name than these, but for the probe, is answered with 421."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] != "http" or scope["path"] == PROBE or self._is_ours(Headers(scope=scope).get("host", "")):
            await self._app(scope, receive, send)
        else:
            status = HTTPStatus.MISDIRECTED_REQUEST
            told = {"type": "about:blank", "title": status.phrase, "status": status,
                    "detail": "Nothing is served here under this name."}  # fmt: skip
            await JSONResponse(told, status, media_type="application/problem+json")(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        try:
            return urlsplit(f"//{host}").hostname in self._names
        except ValueError:
            return False
