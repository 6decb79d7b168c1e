"""Follows the four feeds, each at its own pace, and asks the inboxes about what nothing has come of.

News say when to look, and the feeds are all that it needs: switched off it misses nothing, and under a load that is too
much for it, it is behind and says how far. Nothing that dances waits for it.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from loguru import logger

from services.dashboard.ear import Ear
from services.dashboard.feeds import ASK_MAX_EVENTS, Services, SilentError, Told
from services.dashboard.log import Asked, Verdict
from services.dashboard.store import Store
from services.dashboard.story import Kind, Story
from shared.backoff import Backoff
from shared.ports import RefusedError, WorldError

WATCHED_REST_S = 0.2
REST_S = 1.0
"""Between two looks at a feed: while somebody watches, and else. Where more follows it rests for as long as it worked
at the most, so that those who dance are not kept busy by who looks on."""
QUIET_MOST_S = 1.0
"""Without news it looks after so long all the same."""
AGAIN = Backoff(first_s=0.2, most_s=2.0)
ASK_AFTER_S = 2.0
"""By then a reaction has happened as a rule; what has not may have been ignored, which no feed tells."""
ASK_LEAST_OFTEN_S = 60.0
ASK_INTERVAL_S = 1.0
ASK_MAX_ORDERS = 50


@dataclass(frozen=True, slots=True)
class Place:
    """How far the dashboard is with one service's feed."""

    service: str
    behind: int | None = None
    """About so many events; None: never read yet."""
    behind_s: float = 0.0
    """How old the last event read is, where more follow."""
    silent_since: datetime | None = None
    why: str | None = None


class Follower:
    """Keeps the picture as it is told; `changed` hears of every event kept and of every order that they are about."""

    def __init__(
        self,
        services: Services,
        ear: Ear,
        store: Store,
        changed: Callable[[Sequence[Told], Collection[UUID]], None],
        watched: Callable[[], bool],
    ) -> None:
        self._services = services
        self._ear = ear
        self._store = store
        self._changed = changed
        self._watched = watched
        self.places = {service: Place(service) for service in services.names}

    def lag_s(self) -> float:
        """Say how old what was read last is, of the feed that is furthest behind."""
        return max(place.behind_s for place in self.places.values())

    async def run(self) -> None:
        """Follow until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ear.run())
            for service in self._services.names:
                group.create_task(self._follow(service))
            group.create_task(self._ask_for_ever())

    async def _follow(self, service: str) -> None:
        failures, heard = 0, False
        while True:
            began_s = time.monotonic()
            try:
                more = await self.read(service)
            except (SilentError, WorldError, RefusedError) as error:
                failures += 1
                self._note_silence(service, error)
                await asyncio.sleep(AGAIN.delay_s(failures))
                continue
            failures = 0
            rest_s = WATCHED_REST_S if self._watched() else REST_S
            await asyncio.sleep(min(time.monotonic() - began_s, rest_s) if more else rest_s)
            if not more:
                heard = await self._called(service, heard)

    async def _called(self, service: str, heard: bool) -> bool:
        """Wait for a reason to look; say whether it is that there are news.

        After news it looks once more without any: what was committed beside another transaction is told in the feed
        only once that one has ended, which is no news where nothing came of it.
        """
        return await self._ear.news_of(service, QUIET_MOST_S if self._ear.hears and not heard else 0.0)

    async def read(self, service: str) -> bool:
        """Read a page of a feed and keep it; say whether there is more.

        How far the picture is counts from what is kept, not from what is only read.

        Raises:
            SilentError: the service does not answer.
            WorldError: the database is out of reach.
            RefusedError: the database does not take the page.
        """
        after = await self._store.place(service)
        page = await self._services.feed(service, after)
        about = await self._store.keep(service, after, page) if page.events else None
        self._note(service, page.events, page.behind)
        if about is not None:
            self._changed(page.events, about)
        return page.behind > 0

    async def ask(self) -> int:
        """Ask about orders that have waited for a while; say about how many.

        Raises:
            WorldError: the database is out of reach.
        """
        orders = await self._store.to_ask_about(ASK_AFTER_S, ASK_LEAST_OFTEN_S, ASK_MAX_ORDERS)
        if orders:
            stories = await self._store.stories(orders)
            verdicts = await self._verdicts(stories.values())
            await self._store.judge(orders, verdicts)
            self._changed((), orders)
        return len(orders)

    async def _verdicts(self, stories: Collection[Story]) -> dict[Asked, Verdict | None]:
        wanted = defaultdict[str, set[UUID]](set)
        for story in stories:
            for wait in story.waits:
                if wait.kind in (Kind.REACTION, Kind.LETTER):
                    wanted[wait.service].add(wait.on.event_id)
        asking = (self._asked(service, sorted(events)[:ASK_MAX_EVENTS]) for service, events in wanted.items())
        return {asked: verdict for answer in await asyncio.gather(*asking) for asked, verdict in answer.items()}

    async def _asked(self, service: str, events: Sequence[UUID]) -> dict[Asked, Verdict | None]:
        try:
            return await self._services.verdicts(service, events)
        except SilentError:  # its feed is silent too, and that is told
            return {}

    async def _ask_for_ever(self) -> None:
        while True:
            try:
                while await self.ask() == ASK_MAX_ORDERS:
                    pass
            except (WorldError, RefusedError) as error:
                logger.warning("nobody could be asked: {}", error)
            await asyncio.sleep(ASK_INTERVAL_S)

    def _note(self, service: str, events: Sequence[Told], behind: int) -> None:
        if self.places[service].silent_since:
            logger.info("{} answers again", service)
        age_s = (datetime.now(UTC) - events[-1].occurred_at).total_seconds() if events and behind else 0.0
        self.places[service] = Place(service, behind, max(age_s, 0.0))

    def _note_silence(self, service: str, error: SilentError | WorldError | RefusedError) -> None:
        before = self.places[service]
        why = error.why if isinstance(error, SilentError) else f"the dashboard's database: {error}"
        if before.silent_since is None:
            logger.warning("{}", error)
        since = before.silent_since or datetime.now(UTC)
        self.places[service] = Place(service, before.behind, before.behind_s, since, why)
