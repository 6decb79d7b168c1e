"""How much lies in the broker's queues, as its management interface tells the dashboard's user, who can only look.

What it tells is a few seconds old.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import httpx
from pydantic import BaseModel, TypeAdapter

ANSWER_TIMEOUT_S = 3.0
UNHEARD_AFTER_S = 8.0
"""The broker says of a consumer that has just come, or come back, for some seconds that it is not there."""
COLUMNS = "name,messages,consumers"


class Depth(BaseModel):
    """A queue: its messages, each with the events of one commit, and how many take them."""

    name: str
    messages: int = 0
    consumers: int = 0
    unheard: bool = False
    """For some time nobody has taken any."""


QUEUES = TypeAdapter(list[Depth])


@dataclass(frozen=True, slots=True)
class Depths:
    """What was told; `why` says why not."""

    queues: Mapping[str, Depth]
    why: str | None = None


class Queues:
    """Asks as the user of a broker URL."""

    def __init__(self, management_url: str | None, broker_url: str | None) -> None:
        self._http: httpx.AsyncClient | None = None
        self._idle_since_s: dict[str, float] = {}
        if management_url and broker_url:
            broker = urlsplit(broker_url)
            self._path = f"/api/queues/{quote(unquote(broker.path.removeprefix('/')) or '/', safe='')}"
            self._http = httpx.AsyncClient(
                base_url=management_url.rstrip("/"),
                auth=(broker.username or "", unquote(broker.password or "")),
                timeout=ANSWER_TIMEOUT_S,
                trust_env=False,
            )

    async def close(self) -> None:
        """Disconnect."""
        if self._http:
            await self._http.aclose()

    async def depths(self) -> Depths:
        """Read them all."""
        if self._http is None:
            return Depths({}, "no setting says where the broker is")
        try:
            answer = await self._http.get(self._path, params={"columns": COLUMNS})
            answer.raise_for_status()
            return Depths({queue.name: queue for queue in self._heard(QUEUES.validate_json(answer.content))})
        except (httpx.HTTPError, ValueError) as error:
            return Depths({}, f"the broker does not answer ({type(error).__name__})")

    def _heard(self, queues: list[Depth]) -> Iterator[Depth]:
        now_s = time.monotonic()
        idle = {queue.name for queue in queues if queue.consumers == 0}
        self._idle_since_s = {name: self._idle_since_s.get(name, now_s) for name in idle}
        for queue in queues:
            since_s = self._idle_since_s.get(queue.name, now_s)
            yield queue.model_copy(update={"unheard": now_s - since_s >= UNHEARD_AFTER_S})
