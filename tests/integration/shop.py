"""The shop that the demo speaks to, over the applications of this process instead of over ports."""

from collections.abc import Mapping
from uuid import uuid4

import httpx

from scripts.shop import HTTP_TIMEOUT_S, WAIT_MAX_S, Addresses, Document, Shop
from tests.integration.outside import OPERATOR_KEY
from tests.integration.stage import Actor, Stage

APPROVED = "tok_approved"


class LocalShop(Shop):
    """Speaks to one replica of each service, and to the provider's own process."""

    def __init__(self, stage: Stage, actors: Mapping[str, Actor]) -> None:
        at = Addresses(**{name: f"http://{name}" for name in actors}, provider=stage.outside.provider_url)
        super().__init__(OPERATOR_KEY, addresses=at)
        self._client = httpx.AsyncClient(
            mounts={f"http://{name}": actor.transport for name, actor in actors.items()},
            timeout=httpx.Timeout(HTTP_TIMEOUT_S, read=WAIT_MAX_S + HTTP_TIMEOUT_S),
        )

    async def bought(self, lines: dict[str, int], token: str = APPROVED) -> Document:
        """Place an order of a customer of its own, and read it once it is settled."""
        placed = await self.place(lines, token, customer_id=f"c-{uuid4()}")
        return await self.settled(placed["order_id"])
