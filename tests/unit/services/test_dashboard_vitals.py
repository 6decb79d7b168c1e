"""How the dashboard asks the services what waits in them."""

import asyncio
from typing import Any

import httpx
import pytest

from services.dashboard.feeds import Services
from services.dashboard.queues import Queues
from services.dashboard.vitals import Pulse

URLS = {"order": "http://order.invalid", "payment": "http://payment.invalid"}
EMPTY: dict[str, Any] = {
    "outbox": {"waiting": 0, "oldest_s": None, "parked": 0},
    "inbox": {"about": None, "newest_s": None},
    "intents": [],
    "retries": [],
    "dead_letters": [],
}


async def test_a_frozen_service_is_waited_for_once_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who looks meanwhile learns at once that it is silent; after a while it is asked again."""
    asked, frozen = list[str](), True

    async def answer(request: httpx.Request) -> httpx.Response:
        service = request.url.host.partition(".")[0]
        asked.append(service)
        if service == "payment" and frozen:
            await asyncio.Event().wait()
        return httpx.Response(200, json={"service": service, **EMPTY})

    for bound, length_s in (("FRESH", 0.0), ("ANSWER_TIMEOUT", 0.01), ("SILENCE_FRESH", 60.0)):
        monkeypatch.setattr(f"services.dashboard.vitals.{bound}_S", length_s)
    pulse = Pulse(Services(URLS, "key", httpx.MockTransport(answer)), Queues(None, None))
    for _ in range(2):
        async with asyncio.timeout(1):
            vitals = await pulse.take()
        assert (set(vitals.backlogs), set(vitals.silent)) == ({"order"}, {"payment"})
    assert asked.count("payment") == 1
    frozen = False
    monkeypatch.setattr("services.dashboard.vitals.SILENCE_FRESH_S", 0.0)
    assert set((await pulse.take()).backlogs) == set(URLS)
