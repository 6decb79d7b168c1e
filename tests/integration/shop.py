"""The shop that the demo speaks to, over the applications of this process instead of over ports."""

from collections.abc import Mapping
from uuid import uuid4

from scripts.shop import Addresses, Document, Shop
from tests.integration.outside import OPERATOR_KEY
from tests.integration.stage import Actor, Stage
from tests.integration.switchboard import Switchboard

APPROVED = "tok_approved"


class LocalShop(Shop):
    """Speaks to one replica of each service, and to the provider's own process."""

    def __init__(self, stage: Stage, actors: Mapping[str, Actor]) -> None:
        at = Addresses(**{name: f"http://{name}" for name in actors}, provider=stage.outside.provider_url)
        super().__init__(OPERATOR_KEY, addresses=at, transport=Switchboard(actors))

    async def bought(self, lines: dict[str, int], token: str = APPROVED) -> Document:
        """Place an order of a customer of its own, and read it once it is settled."""
        placed = await self.place(lines, token, customer_id=f"c-{uuid4()}")
        return await self.settled(placed["order_id"])
