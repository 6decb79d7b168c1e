"""A dashboard over the services of a stage: its application in this process, which asks theirs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from asgi_lifespan import LifespanManager
from fastapi import FastAPI

from infra.auditor.desk import Desk
from infra.auditor.looking import found, sources_of
from infra.auditor.settings import Settings
from infra.auditor.web import create_app as auditor_app
from infra.ports import HOST, SERVICES
from services.dashboard.app import create_app
from services.dashboard.parts import Parts
from services.dashboard.settings import DashboardSettings
from tests.integration.outside import OPERATOR_KEY
from tests.integration.served import served_app
from tests.integration.shop import LocalShop
from tests.integration.stage import CHANGE_S, Actor, Stage
from tests.integration.switchboard import Switchboard
from tests.pictures import LOGGED, TOLD
from tests.waiting import eventually

GOODS = {"strings": 8, "violin": 20, "rosin": 100}
MIXED = (
    ({"strings": 1}, "tok_approved"),
    ({"violin": 1}, "tok_declined"),
    ({"strings": 9}, "tok_approved"),
    ({"rosin": 2}, "tok_insufficient_funds"),
)
"""One that goes through, two whose money is not to be had, one of which there is not enough."""
TABLES = ("events", "feeds", "orders", "verdicts", "waits")
URL = f"http://{HOST}"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard that follows, and a browser of sorts."""

    app: FastAPI
    http: httpx.AsyncClient
    stage: Stage

    @property
    def parts(self) -> Parts:
        """What it is made of."""
        parts: Parts = self.app.state.parts
        return parts

    async def caught_up(self) -> None:
        """Wait until it has every event that any service has logged, and has asked about what nothing came of."""

        async def look() -> None:
            assert await logged(self.stage) == await told(self.stage)
            assert await self.stage.auditor.count("dashboard_service.orders", "waiting_since IS NOT NULL") == 0

        await eventually(look)

    async def json(self, path: str, **query: str) -> Any:
        """Read a document."""
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def page(self, path: str) -> str:
        """Read a page."""
        answer = await self.http.get(path, headers={"accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(self, path: str, **fields: Any) -> httpx.Response:
        """Send a form, as one of its own pages does."""
        return await self.http.post(path, data=fields, headers={"origin": URL, "accept": "text/html"})


@asynccontextmanager
async def dashboard(stage: Stage, actors: Mapping[str, Actor], **others: Any) -> AsyncIterator[Dashboard]:
    """Have a dashboard follow some actors until the end of the block; `others` are settings on top of its own."""
    given: dict[str, Any] = {
        "database_url": stage.servers.database_url("dashboard_service"),
        "broker_url": stage.servers.broker_url("dashboard"),
        "management_url": f"http://{HOST}:{stage.servers.management_port}",
        "operator_key": OPERATOR_KEY,
        "provider_url": stage.outside.provider_url,
        "stuck_after_s": 1.0,
        **{f"{name}_url": f"http://{name}" for name in SERVICES},
    }
    app = create_app(DashboardSettings(**given | others), Switchboard(actors))
    async with (
        LifespanManager(app, CHANGE_S, CHANGE_S),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as http,
    ):
        yield Dashboard(app, http, stage)


@asynccontextmanager
async def auditor(stage: Stage, logs: Path | None = None) -> AsyncIterator[str]:
    """Have an auditor of a stage until the end of the block; gives its address."""
    settings = Settings(
        database_url=stage.servers.database_url("auditor"),
        broker_url=stage.servers.broker_url("observer"),
        provider_url=stage.outside.provider_url,
        logs=logs,
    )
    ours = replace(sources_of(settings), ledger_after=stage.ledger_after)  # the provider remembers earlier tests
    desk = Desk(partial(found, ours))
    async with served_app(auditor_app(desk)) as address:
        yield address
    await desk.close()


async def bought(stage: Stage, shop: LocalShop, rounds: int = 1) -> None:
    """Have orders of every kind placed at once, one of them cancelled by its customer, and wait for the end of all."""
    await asyncio.gather(*(shop.bought(lines, token) for lines, token in MIXED * rounds))
    placed = await shop.place({"rosin": 1}, "tok_approved", customer_id=f"c-{uuid4()}")
    await shop.cancel(placed)
    await stage.auditor.quiescent()


async def logged(stage: Stage) -> set[tuple[Any, ...]]:
    """Read who logged what, from the services' own schemas."""
    return {tuple(row) for row in await stage.auditor.rows(LOGGED)}


async def told(stage: Stage) -> set[tuple[Any, ...]]:
    """Read the same from the dashboard's schema."""
    return {tuple(row) for row in await stage.auditor.rows(TOLD)}


async def tables(stage: Stage) -> dict[str, list[tuple[Any, ...]]]:
    """Read all that the dashboard keeps, but when it asked."""
    columns = {"orders": [c for c in await _columns(stage, "orders") if c != "asked_at"]}
    return {
        table: sorted(
            tuple(map(str, row)) for row in await stage.auditor.rows(
                f"SELECT {', '.join(columns.get(table, ['*']))} FROM dashboard_service.{table}"  # noqa: S608 - ours
            )
        )
        for table in TABLES
    }  # fmt: skip


async def _columns(stage: Stage, table: str) -> list[str]:
    rows = await stage.auditor.rows(
        "SELECT column_name FROM information_schema.columns"
        " WHERE table_schema = 'dashboard_service' AND table_name = $1 ORDER BY ordinal_position",
        table,
    )
    return [row["column_name"] for row in rows]
