"""How the dashboard follows a feed, with a service and a database that do as a test says."""

from datetime import UTC, datetime
from typing import cast
from uuid import UUID

import pytest

from services.dashboard.ear import Ear
from services.dashboard.feeds import FeedPage, Services, Told
from services.dashboard.follower import Follower
from services.dashboard.store import Store
from shared.ports import RefusedError

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ID = UUID(int=1)
EVENT = Told(
    event_id=ID, type="order.placed.v1", name="order.placed", service="order", order_id=ID, stream_id=ID, version=1,
    causation_id=ID, occurred_at=AT, traceparent=None, public=True, data={},
)  # fmt: skip


class Feeds:
    """One service, of whose feed more and more is read."""

    names = ("order",)

    def __init__(self, *behind: int) -> None:
        self._behind = list(behind)

    async def feed(self, _: str, after: str | None) -> FeedPage:
        """Give an event, and say how many follow."""
        return FeedPage(events=[EVENT], next=f"{after}+", behind=self._behind.pop(0))


class Shelf:
    """Keeps pages, or refuses them; remembers how far behind the picture was said to be meanwhile."""

    refuses = False

    def __init__(self) -> None:
        self.follower: Follower | None = None
        self.lags_s: list[float] = []

    async def place(self, _: str) -> str:
        """Say that reading begins anew."""
        return "0"

    async def keep(self, *_: object) -> set[UUID]:
        """Take a page."""
        assert self.follower
        self.lags_s.append(self.follower.lag_s())
        if self.refuses:
            raise RefusedError("not this one")
        return {ID}


def following(*behind: int) -> tuple[Follower, Shelf]:
    """Give a follower of one feed."""
    shelf = Shelf()
    services, store = cast("Services", Feeds(*behind)), cast("Store", shelf)
    shelf.follower = Follower(services, Ear(None, Feeds.names), store, lambda *_: None, lambda: False)
    return shelf.follower, shelf


async def test_the_picture_is_behind_until_the_last_page_is_kept() -> None:
    """That it is read does not help who looks: an order that waits in it would be called late."""
    follower, shelf = following(1, 0)
    assert await follower.read("order")
    assert not await follower.read("order")
    assert shelf.lags_s[-1] > 0
    assert follower.lag_s() == 0


async def test_a_page_that_is_refused_again_and_again_is_one_silence() -> None:
    """Told once, since when, and over when a page is kept."""
    follower, shelf = following(0, 0, 0)
    shelf.refuses = True
    seen = set[datetime | None]()
    for _ in range(2):
        with pytest.raises(RefusedError) as refused:
            await follower.read("order")
        seen.add(follower.places["order"].silent_since)
        follower._note_silence("order", refused.value)
        seen.add(follower.places["order"].silent_since)
    assert len(seen - {None}) == 1
    assert follower.places["order"].silent_since in seen
    shelf.refuses = False
    await follower.read("order")
    assert follower.places["order"].silent_since is None
