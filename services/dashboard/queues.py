"""How much lies in the broker's queues, as its management interface tells the dashboard's user, who can only look.

What it tells is a few seconds old.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import httpx
from pydantic import BaseModel, TypeAdapter

ANSWER_TIMEOUT_S = 3.0
COLUMNS = "name,messages,consumers"


class Depth(BaseModel):
    """A queue: its messages, each with the events of one commit, and who takes them."""

    name: str
    messages: int = 0
    consumers: int = 0


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
            return Depths({queue.name: queue for queue in QUEUES.validate_json(answer.content)})
        except (httpx.HTTPError, ValueError) as error:
            return Depths({}, f"the broker does not answer ({type(error).__name__})")
