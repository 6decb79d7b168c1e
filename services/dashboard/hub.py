"""Tells browsers that something happened: each what came since it was told last, no more often than is of use."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.dashboard.feeds import Told

NEWS_INTERVAL_S = 0.2
SILENCE_MAX_S = 10.0
"""Then a line is sent all the same: so both sides see that the connection still stands."""
LISTENERS_MAX = 100
NAMED_MAX_ORDERS = 200
"""More orders than that are not named: every listener looks again, whichever it shows."""


@dataclass(slots=True)
class News:
    """What came since the last news."""

    events: Counter[str] = field(default_factory=Counter)
    orders: set[UUID] = field(default_factory=set)

    def add(self, events: Sequence[Told], orders: Collection[UUID]) -> None:
        """Take more."""
        self.events.update(told.name for told in events)
        if self.named is not None:
            self.orders.update(orders)

    @property
    def named(self) -> list[UUID] | None:
        """The orders, or None where they are too many."""
        return list(self.orders) if len(self.orders) <= NAMED_MAX_ORDERS else None


class Hub:
    """Whom to tell."""

    def __init__(self) -> None:
        self._listeners: dict[asyncio.Event, News] = {}
        self._closing = False

    def watched(self) -> bool:
        """Say whether anybody listens."""
        return bool(self._listeners)

    @property
    def crowded(self) -> bool:
        """Say whether as many listen as there may be."""
        return len(self._listeners) >= LISTENERS_MAX

    def changed(self, events: Sequence[Told], orders: Collection[UUID]) -> None:
        """Have everybody told."""
        for woken, news in self._listeners.items():
            news.add(events, orders)
            woken.set()

    def close(self) -> None:
        """Let every listener go."""
        self._closing = True
        for woken in self._listeners:
            woken.set()

    async def listen(self) -> AsyncIterator[News]:
        """Give news as they come, and empty ones after a long silence."""
        woken = asyncio.Event()
        self._listeners[woken] = News()
        try:
            yield News()
            while not self._closing:
                try:
                    async with asyncio.timeout(SILENCE_MAX_S):
                        await woken.wait()
                except TimeoutError:
                    pass
                woken.clear()
                news, self._listeners[woken] = self._listeners[woken], News()
                yield news
                await asyncio.sleep(NEWS_INTERVAL_S)
        finally:
            del self._listeners[woken]
