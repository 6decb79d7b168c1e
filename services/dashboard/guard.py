"""What a browser is kept from: pages that others put words into, and other people's pages that act in our name.

The dashboard listens on this machine alone. A page from elsewhere, open in the same browser, can still send requests
here; it can neither read the answers nor have anything done: what changes something must come from a page of our own.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.http.problems import problem

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # with `no-referrer` a browser would not name the origin of our own forms either
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LOOKS = ("GET", "HEAD")
PROBES = ("/livez", "/readyz")
"""They tell nothing, and whoever asks from beside the process may not know its name."""


class Guard:
    """ASGI middleware: refuses foreign names and foreign pages, and tells browsers to allow nothing from elsewhere."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer 403 or 421."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        headers = Headers(scope=scope)
        if scope["path"] not in PROBES and _name(headers.get("host", "")) not in self._names:
            answer = problem(421, "Nothing is served here under this name.")
        elif scope["method"] not in LOOKS and not _is_ours(headers):
            answer = problem(403, "What changes something must come from a page of the dashboard itself.")
        else:
            await self._app(scope, receive, guarded)
            return
        await answer(scope, receive, guarded)


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_ours(headers: Headers) -> bool:
    """Tell whether a page of our own sends this: every browser names the page's origin with a POST."""
    return headers.get("origin") == f"http://{headers.get('host')}"
