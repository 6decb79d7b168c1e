"""The parts of a running dashboard, put together once."""

from dataclasses import dataclass

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.dashboard.dance import Dance, dance
from services.dashboard.ear import Ear
from services.dashboard.feeds import Services
from services.dashboard.follower import Follower
from services.dashboard.hub import Hub
from services.dashboard.picture import Picture
from services.dashboard.queues import Queues
from services.dashboard.settings import DashboardSettings
from services.dashboard.store import Store
from services.dashboard.vitals import Pulse
from shared.http.health import Check
from shared.store.connection import connect

OUTSIDE_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What every page may ask."""

    settings: DashboardSettings
    dance: Dance
    engine: AsyncEngine
    services: Services
    queues: Queues
    store: Store
    picture: Picture
    hub: Hub
    follower: Follower
    pulse: Pulse
    outside: httpx.AsyncClient
    """For what a person has done here, with the key that the person enters."""

    @classmethod
    def of(cls, settings: DashboardSettings, transport: httpx.AsyncBaseTransport | None = None) -> "Parts":
        """Make them; `transport` is another way to everybody than over the network."""
        engine = connect(settings.database_url, "quartet dashboard")
        services = Services(settings.service_urls, settings.operator_key.get_secret_value(), transport)
        queues = Queues(settings.management_url, settings.broker_url)
        store = Store(engine, dance(), settings.inbox_retention_s)
        hub = Hub()
        ear = Ear(settings.broker_url, services.names)
        follower = Follower(services, ear, store, hub.changed, hub.watched)
        return cls(
            settings=settings,
            dance=dance(),
            engine=engine,
            services=services,
            queues=queues,
            store=store,
            picture=Picture(engine, settings.stuck_after_s, follower.lag_s),
            hub=hub,
            follower=follower,
            pulse=Pulse(services, queues),
            outside=httpx.AsyncClient(timeout=OUTSIDE_TIMEOUT_S, transport=transport, trust_env=False),
        )

    @property
    def checks(self) -> dict[str, Check]:
        """What `/readyz` asks. A service that is silent is shown, and is no reason to show nothing."""
        return {"database": self._ask_database}

    async def close(self) -> None:
        """Let everything go."""
        self.hub.close()
        for close in (self.services.close, self.queues.close, self.outside.aclose, self.engine.dispose):
            await close()

    async def _ask_database(self) -> None:
        async with self.engine.connect() as connection:
            await connection.execute(text("SELECT 1 FROM feeds LIMIT 1"))
