"""The broker's management interface, read: what exchanges, queues and bindings there are."""

from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter
from yarl import URL

from infra.topology.drift import Found, FoundBinding, FoundExchange, FoundQueue

ANSWER_TIMEOUT_S = 5.0
"""Between two bytes of an answer."""
ANSWER_MAX_BYTES = 4 * 1024 * 1024
T = TypeVar("T")

EXCHANGES = TypeAdapter(list[FoundExchange])
QUEUES = TypeAdapter(list[FoundQueue])
BINDINGS = TypeAdapter(list[FoundBinding])


class Management:
    """Asks as the user of a broker URL about that URL's virtual host."""

    def __init__(self, url: str, broker_url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        broker = URL(broker_url)
        self._vhost = quote(broker.path.removeprefix("/") or "/", safe="")
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/"),
            auth=(broker.user or "", broker.password or ""),
            timeout=ANSWER_TIMEOUT_S,
            transport=transport,
            trust_env=False,
        )

    async def found(self) -> Found:
        """Read all there is.

        Raises:
            httpx.HTTPError, ValueError: no answer, or one that makes no sense.
        """
        return Found(
            await self._read("exchanges", "name,type,durable,auto_delete,internal,arguments", EXCHANGES),
            await self._read("queues", "name,durable,auto_delete,exclusive,arguments,messages", QUEUES),
            await self._read("bindings", "source,destination,destination_type,routing_key", BINDINGS),
        )

    async def close(self) -> None:
        """Disconnect."""
        await self._http.aclose()

    async def _read(self, what: str, columns: str, kind: TypeAdapter[list[T]]) -> list[T]:
        body = bytearray()
        path = f"/api/{what}/{self._vhost}"
        async with self._http.stream("GET", path, params={"columns": columns}) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_MAX_BYTES:
                    raise ValueError(f"{path} answers with more than {ANSWER_MAX_BYTES} bytes")
        return kind.validate_json(bytes(body))
