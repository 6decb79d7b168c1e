"""The services as the dashboard asks them, over HTTP, as their operator. Everything here only looks."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

import httpx
from pydantic import BaseModel, BeforeValidator, TypeAdapter

from services.dashboard.log import Asked, Happened, Verdict

PAGE_MAX_EVENTS = 500
ASK_MAX_EVENTS = 200
ANSWER_TIMEOUT_S = 5.0

Document = dict[str, Any]


class SilentError(Exception):
    """A service does not answer, or not in a way that makes sense."""

    def __init__(self, service: str, why: str) -> None:
        super().__init__(f"{service} does not answer: {why}")
        self.service = service
        self.why = why


class Told(BaseModel):
    """An event as the feed has it."""

    event_id: UUID
    type: str
    name: str
    service: str
    order_id: UUID
    stream_id: UUID
    version: int
    causation_id: UUID
    occurred_at: datetime
    attempts: int = 1
    traceparent: str | None
    public: Annotated[bool, BeforeValidator(bool)]
    """A type that a service no longer knows counts as private: nobody is waited for on its account."""
    data: Any

    @property
    def happened(self) -> Happened:
        """The event as a story is told of it."""
        return Happened(
            event_id=self.event_id,
            order_id=self.order_id,
            service=self.service,
            name=self.name,
            type=self.type,
            version=self.version,
            causation_id=self.causation_id,
            at=self.occurred_at,
            public=self.public,
            data=self.data,
            traceparent=self.traceparent,
            attempts=self.attempts,
        )


class FeedPage(BaseModel):
    """Some events in the order of the feed, the place behind them, and about how many follow."""

    events: list[Told]
    next: str
    behind: int


class _Outcomes(BaseModel):
    outcomes: dict[UUID, Verdict]


_FEED, _OUTCOMES, _DOCUMENT = TypeAdapter(FeedPage), TypeAdapter(_Outcomes), TypeAdapter(Document)
T = TypeVar("T")


class Services:
    """Asks any of them. Every method raises `SilentError`."""

    def __init__(
        self, urls: Mapping[str, str], operator_key: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.names = tuple(urls)
        self._urls = urls
        self._http = httpx.AsyncClient(
            headers={"X-Operator-Key": operator_key}, timeout=ANSWER_TIMEOUT_S, transport=transport, trust_env=False
        )

    async def close(self) -> None:
        """Disconnect."""
        await self._http.aclose()

    async def feed(self, service: str, after: str | None) -> FeedPage:
        """Read what a service logged after a place in its feed."""
        given = {} if after is None else {"after": after}
        return await self._read(service, _FEED, "GET", "/events", params={**given, "limit": PAGE_MAX_EVENTS})

    async def verdicts(self, service: str, events: Collection[UUID]) -> dict[Asked, Verdict | None]:
        """Ask what became of some events, at most `ASK_MAX_EVENTS`; None: the service does not know, or not yet."""
        body = {"events": [str(event_id) for event_id in events]}
        told = await self._read(service, _OUTCOMES, "POST", "/outcomes", json=body)
        return {Asked(service, event_id): told.outcomes.get(event_id) for event_id in events}

    async def intents(self, service: str, order_id: UUID) -> list[Document]:
        """Read what a service still wants done outside for an order."""
        told = await self.document(service, "/intents", order=str(order_id))
        return list(told["intents"])

    async def document(self, service: str, path: str, **query: object) -> Document:
        """Read anything."""
        given = {name: value for name, value in query.items() if value is not None}
        return await self._read(service, _DOCUMENT, "GET", path, params=given)

    async def _read(self, service: str, kind: TypeAdapter[T], method: str, path: str, **asked: Any) -> T:
        try:
            answer = await self._http.request(method, f"{self._urls[service]}{path}", **asked)
            answer.raise_for_status()
            return kind.validate_json(answer.content)
        except httpx.HTTPStatusError as error:
            raise SilentError(service, f"{path}: {error.response.status_code}") from error
        except (httpx.HTTPError, ValueError) as error:
            raise SilentError(service, type(error).__name__) from error
