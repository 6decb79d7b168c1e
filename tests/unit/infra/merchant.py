"""A merchant who talks to the provider in process, and time, which a test holds in its hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import httpx
from asgi_lifespan import LifespanManager
from pydantic import SecretStr

from infra.provider.api import create_app
from infra.provider.patience import Patience
from infra.provider.settings import Settings
from infra.provider.teller import Teller

DEADLINE_S = 5.0


APPROVED = "tok_approved"
OPERATOR_KEY = "the operator's"
OPERATOR = {"X-Operator-Key": OPERATOR_KEY}


class HandPatience(Patience):
    """Every pause lasts until the test says that it is over."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses_ms: list[int] = []
        self._begun = asyncio.Event()
        self._over = asyncio.Event()

    async def pause(self, duration_ms: int) -> None:
        self.pauses_ms.append(duration_ms)
        self._begun.set()
        await self._over.wait()

    async def begun(self) -> None:
        """Wait until somebody waits."""
        await asyncio.wait_for(self._begun.wait(), DEADLINE_S)

    def over(self) -> None:
        """End every pause, those to come too."""
        self._over.set()


class Merchant:
    """Speaks the provider's interface."""

    def __init__(self, http: httpx.AsyncClient, teller: Teller) -> None:
        self.http = http
        self.teller = teller

    async def charge(
        self, key: str, token: str = APPROVED, amount: int = 1200, currency: str = "EUR"
    ) -> httpx.Response:
        body = {"key": key, "amount": amount, "currency": currency, "token": token}
        return await self.http.post("/v1/charges", json=body)

    async def undo(self, key: str) -> httpx.Response:
        return await self.http.post(f"/v1/charges/{key}/undo")

    async def query(self, key: str) -> httpx.Response:
        return await self.http.get(f"/v1/charges/{key}")

    async def set_faults(self, **rates: float) -> httpx.Response:
        return await self.http.put("/v1/faults", json=rates, headers=OPERATOR)

    async def injected(self) -> dict[str, int]:
        counts: dict[str, int] = (await self.http.get("/v1/faults")).json()["injected"]
        return counts

    async def kinds(self, key: str) -> list[str]:
        """List what the ledger holds for a key, in the order of writing."""
        lines: list[dict[str, Any]] = (await self.http.get("/v1/ledger?limit=1000")).json()["lines"]
        return [line["kind"] for line in lines if line["key"] == key]


@asynccontextmanager
async def provider(
    ledger: Path,
    *,
    chance: Random | None = None,
    patience: Patience | None = None,
    hold_ms: int = 0,
    late_ms: int = 0,
) -> AsyncIterator[Merchant]:
    """Run the provider in process for as long as the block runs."""
    settings = Settings(operator_key=SecretStr(OPERATOR_KEY), ledger=ledger, hold_ms=hold_ms, late_ms=late_ms)
    app = create_app(settings, chance=chance, patience=patience)
    async with (
        LifespanManager(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://provider") as http,
    ):
        yield Merchant(http, app.state.teller)
