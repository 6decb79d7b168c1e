"""The payment provider, as payment speaks to it: `charge(key)` and `undo(key)`, each safe to ask again."""

import asyncio
import ssl
from collections.abc import Callable
from functools import cache, partial
from typing import Any, Protocol
from uuid import UUID

import httpx

from services.payment.events import ChargeResult, UndoResult
from shared.breaker import Breaker
from shared.intents import UnansweredError
from shared.tracing.context import CURRENT
from shared.vocabulary.money import Money

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 3.0
WHOLE_ANSWER_TIMEOUT_S = 6.0
"""However it trickles."""
ID_MAX_CHARACTERS = 200
CONNECTIONS_MAX = 32
"""As many as intents are carried out at once."""

DECLINES = {
    "card_declined": ChargeResult.CARD_DECLINED,
    "insufficient_funds": ChargeResult.INSUFFICIENT_FUNDS,
    "unknown_token": ChargeResult.UNKNOWN_TOKEN,
}
"""The provider's reasons that we know; one that we do not know declines all the same."""
UNDONE = {"voided": UndoResult.VOIDED, "refunded": UndoResult.REFUNDED}


class ProviderError(UnansweredError):
    """The provider did not answer, or said that it could not: nothing is known, ask again."""


class Gateway(Protocol):
    """A payment provider.

    Both methods raise `ProviderError` where there is no answer that says what became of it, and may raise
    `NotAskedError` where it is known to be away.
    """

    async def charge(self, order_id: UUID, money: Money, token: str) -> tuple[ChargeResult, str]:
        """Charge under the order's key; give the result, and the provider's id of the charge."""

    async def undo(self, order_id: UUID) -> tuple[UndoResult, str]:
        """Close the order's key for good; give what that took, and the provider's id of it."""


class Provider:
    """The gateway over the provider's HTTP interface. Money goes over the wire in minor units."""

    def __init__(self, url: str, connect: Callable[[], httpx.AsyncBaseTransport] | None = None) -> None:
        self._url = url.rstrip("/")
        self._timeouts = {"timeout": httpx.Timeout(ANSWER_TIMEOUT_S, connect=CONNECT_TIMEOUT_S).as_dict()}
        # A connection each, and no client around them: httpx's pool looks at all its connections for every request,
        # and its cookies, redirects and credentials are of no use here. A charge costs a quarter so.
        self._connections: asyncio.LifoQueue[httpx.AsyncBaseTransport] = asyncio.LifoQueue()
        connect = connect or partial(
            httpx.AsyncHTTPTransport, verify=_authorities(), limits=httpx.Limits(max_connections=1)
        )
        for _ in range(CONNECTIONS_MAX):
            self._connections.put_nowait(connect())

    async def charge(self, order_id: UUID, money: Money, token: str) -> tuple[ChargeResult, str]:
        """Charge under the order's key; give the result, and the provider's id of the charge.

        Raises:
            ProviderError: no answer that says what became of it.
        """
        body = {"key": str(order_id), "amount": money.amount, "currency": money.currency, "token": token}
        status, answer = await self._post("/v1/charges", body)
        match status:
            case 200 if _took(answer, money):
                return ChargeResult.CAPTURED, _id(answer)
            case 402:
                return DECLINES.get(str(answer.get("reason")), ChargeResult.DECLINED), _id(answer)
            case 409:
                return ChargeResult.KEY_CLOSED, _id(answer)
            case 422:
                return ChargeResult.INVALID_CHARGE, ""
        raise ProviderError(f"the provider answered {status}")

    async def undo(self, order_id: UUID) -> tuple[UndoResult, str]:
        """Close the order's key for good; give what that took, and the provider's id of it.

        Raises:
            ProviderError: no answer that says so.
        """
        status, answer = await self._post(f"/v1/charges/{order_id}/undo", None)
        result = UNDONE.get(str(answer.get("status")))
        if status != 200 or result is None:
            raise ProviderError(f"the provider answered {status}")
        return result, _id(answer)

    async def _post(self, path: str, body: object) -> tuple[int, dict[str, Any]]:
        try:
            async with asyncio.timeout(WHOLE_ANSWER_TIMEOUT_S):
                context = CURRENT.get()
                headers = None if context is None else {"traceparent": str(context)}
                url, extensions = self._url + path, self._timeouts
                answer = await self._ask(httpx.Request("POST", url, json=body, headers=headers, extensions=extensions))
                document = answer.json()
        except (httpx.HTTPError, TimeoutError, ValueError, RecursionError) as error:
            raise ProviderError(f"no answer: {type(error).__name__}") from error
        if not isinstance(document, dict):
            raise ProviderError(f"the provider answered {answer.status_code} with no document")
        return answer.status_code, document

    async def _ask(self, request: httpx.Request) -> httpx.Response:
        connection = await self._connections.get()
        try:
            answer = await connection.handle_async_request(request)
            await answer.aread()
            return answer
        finally:
            self._connections.put_nowait(connection)


class Guarded:
    """A gateway behind a breaker: while the provider is away it is not asked, but for a probe now and then."""

    def __init__(self, gateway: Gateway, breaker: Breaker) -> None:
        self._gateway = gateway
        self._breaker = breaker

    async def charge(self, order_id: UUID, money: Money, token: str) -> tuple[ChargeResult, str]:
        """Charge. Raises OpenError where the provider was not asked, and otherwise as the gateway does."""
        return await self._breaker.ask(partial(self._gateway.charge, order_id, money, token))

    async def undo(self, order_id: UUID) -> tuple[UndoResult, str]:
        """Undo. Raises OpenError where the provider was not asked, and otherwise as the gateway does."""
        return await self._breaker.ask(partial(self._gateway.undo, order_id))


@cache
def _authorities() -> ssl.SSLContext:
    """Load what HTTPS is trusted by: once, as that takes longer than all the rest of starting."""
    return httpx.create_ssl_context()


def _took(answer: dict[str, Any], money: Money) -> bool:
    """Say whether the provider took the money, and no other: a success alone may mean anything."""
    same = {"amount": money.amount, "currency": money.currency}
    return answer.get("status") == "captured" and all(answer.get(name, ours) == ours for name, ours in same.items())


def _id(answer: dict[str, Any]) -> str:
    """Give the provider's id of what it did.

    Raises:
        ProviderError: it gave none, or one that could not be stored: then what it did could never be told.
    """
    match answer.get("id"):
        case str(name) if name and name.isprintable() and len(name) <= ID_MAX_CHARACTERS:
            return name
    raise ProviderError("the provider gave no id")
