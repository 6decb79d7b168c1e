"""The services, played in this process on the session's servers, so that faults can be put at their ports."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx
from asgi_lifespan import LifespanManager
from sqlalchemy import text

from infra.ports import SERVICES
from services.inventory.__main__ import service as inventory
from services.notification.__main__ import service as notification
from services.order.__main__ import service as order
from services.payment.__main__ import service as payment
from shared.intents import Performer
from shared.outcome import Intent
from shared.reactions import Reactions
from shared.runtime import Runtime
from shared.service import Service, recorder_to
from shared.settings import Settings
from shared.store.connection import connect
from tests.integration.auditor import Auditor
from tests.integration.outside import OPERATOR_KEY, Outside
from tests.integration.servers import TIERS_MS, Servers
from tests.waiting import eventually

PROGRAMS: Mapping[str, Service[Any]] = {
    program.reactions.service: program for program in (order, inventory, payment, notification)
}
AS_OPERATOR = {"X-Operator-Key": OPERATOR_KEY}
CHANGE_S = 30.0
"""So long an application may take to start or stop: more than any drain."""
PRICES = {"rosin": 950, "strings": 7_900, "bow": 45_000, "violin": 320_000}
"""The catalogue, in minor units of EUR."""

Setting: TypeAlias = str | float


@dataclass(slots=True)
class Actor:
    """One replica of a service: its runtime, a client of its HTTP interface, and the way to stop it."""

    name: str
    runtime: Runtime
    transport: httpx.ASGITransport
    http: httpx.AsyncClient
    """Shows no key of its own accord."""
    life: AsyncExitStack = field(repr=False)
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    """Of customers, by their ids: those that were issued here."""

    async def as_customer(self, customer_id: str) -> dict[str, str]:
        """Give the headers that a customer shows, with a key that is issued when first asked for."""
        if customer_id not in self.keys:
            self.keys[customer_id] = await eventually(lambda: self._issue(customer_id))
        return {"Authorization": f"Bearer {self.keys[customer_id]}"}

    async def _issue(self, customer_id: str) -> str:
        issued = await self.http.post(f"/customers/{customer_id}/keys", headers=AS_OPERATOR)
        assert issued.status_code == 201, issued.text
        key: str = issued.json()["key"]
        return key

    async def ready(self) -> None:
        """Wait until it says that everything it needs answers."""

        async def look() -> None:
            answer = await self.http.get("/readyz")
            assert answer.status_code == 200, answer.text

        await eventually(look)

    async def stop(self) -> None:
        """Stop it as SIGTERM does; once more does nothing."""
        await self.life.aclose()


class Stage:
    """Starts actors, and stops at the end of the test those that still play."""

    def __init__(
        self, servers: Servers, outside: Outside, auditor: Auditor, lives: AsyncExitStack, ledger_after: int
    ) -> None:
        self.servers = servers
        self.outside = outside
        self.auditor = auditor
        self.ledger_after = ledger_after
        """The last line of the provider's ledger that is of earlier tests."""
        self._lives = lives

    def settings(self, name: str, **others: Setting) -> Settings:
        """Make the settings of a service for this stage; `others` on top of them."""
        given: dict[str, Any] = {
            "database_url": self.servers.database_url(f"{name}_service"),
            "broker_url": self.servers.broker_url(name),
            "http_port": 1,  # nobody listens: the client speaks to the application itself
            "operator_key": OPERATOR_KEY,
            "provider_url": self.outside.provider_url,
            "smtp_url": self.outside.smtp_url,
            "catalogue_max_age_s": 0,
            "wait_poll_s": 0.05,
        }
        settings: Settings = PROGRAMS[name].settings(**given | others)
        return settings

    async def start(self, name: str, **others: Setting) -> Actor:
        """Start a replica of a service, and wait until it is ready."""
        actor = await self.begin(name, **others)
        await actor.ready()
        return actor

    async def begin(self, name: str, **others: Setting) -> Actor:
        """Start a replica of a service as its program does, ready or not."""
        app = PROGRAMS[name].app(self.settings(name, **others))
        life = await self._lives.enter_async_context(AsyncExitStack())
        await life.enter_async_context(LifespanManager(app, CHANGE_S, CHANGE_S))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        http = await life.enter_async_context(httpx.AsyncClient(transport=transport, base_url=f"http://{name}"))
        return Actor(name, app.state.runtime, transport, http, life)

    async def start_all(self, **others: Setting) -> dict[str, Actor]:
        """Start one replica of each service, all at the same time."""
        return await self.start_some(*SERVICES, **others)

    async def start_some(self, *names: str, **others: Setting) -> dict[str, Actor]:
        """Start one replica of each of these services, all at the same time."""
        actors = await asyncio.gather(*(self.start(name, **others) for name in names))
        return {actor.name: actor for actor in actors}

    @asynccontextmanager
    async def runtime(
        self,
        name: str,
        reactions: Reactions | None = None,
        performers: Mapping[type[Intent], Performer] | None = None,
        delay_tiers_ms: tuple[int, ...] = TIERS_MS,
        **others: Setting,
    ) -> AsyncIterator[Runtime]:
        """Run a service without HTTP, with other reactions and performers where given, and with short delays."""
        program, settings = PROGRAMS[name], self.settings(name, **others)
        performers = performers or program.performers(settings)
        recorder = recorder_to(settings.otlp_endpoint, name)
        table = reactions or program.reactions
        runtime = Runtime(table, program.states, performers, settings, delay_tiers_ms, recorder=recorder)
        async with runtime:
            await consuming(runtime)
            yield runtime

    async def offer(self, **quantities: int) -> None:
        """Put the whole catalogue up for sale, and receive goods of some SKUs."""
        engine = connect(self.servers.database_url("order_migrator"), "test")
        async with engine.begin() as connection:
            await connection.execute(
                text("INSERT INTO catalogue VALUES (:sku, :sku, :price, 'EUR') ON CONFLICT DO NOTHING"),
                [{"sku": sku, "price": price} for sku, price in PRICES.items()],
            )
        await engine.dispose()
        for sku, quantity in quantities.items():
            await self.auditor.receive(sku, quantity)


async def consuming(runtime: Runtime) -> None:
    """Wait until a runtime's checks pass: it reaches its database and consumes all its lanes."""

    async def look() -> None:
        for check in runtime.checks.values():
            try:
                await check()
            except Exception as error:
                raise AssertionError(f"not ready: {error}") from error

    await eventually(look)
