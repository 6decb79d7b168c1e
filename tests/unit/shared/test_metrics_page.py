"""`/metrics`: cheap however often it is scraped, and there whether or not the database is."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import httpx
import pytest
import pytest_asyncio
from fastapi import FastAPI

from shared.http.metrics import metrics_router
from shared.metrics import Metrics
from shared.store.backlog import Backlog, Backlogs, Known, Unsent
from tests.unit.shared.fakes import FakeClock
from tests.unit.shared.http import client
from tests.unit.shared.shell_stage import LOST
from tests.unit.shared.toy import toy


class FakeBacklogs:
    """Counts how often it is counted."""

    def __init__(self) -> None:
        self.counted = 0
        self.asked = asyncio.Event()
        self.error: Exception | None = None
        self.answering = asyncio.Event()
        self.answering.set()

    async def now(self) -> Backlog:
        self.counted += 1
        self.asked.set()
        await self.answering.wait()
        if self.error is not None:
            raise self.error
        return Backlog("toy", Unsent(self.counted, 1.0, 0), Known(None, None), (), (), ())


class Page:
    """The page of one process."""

    def __init__(self, http: httpx.AsyncClient, backlogs: FakeBacklogs) -> None:
        self.backlogs = backlogs
        self._http = http

    async def read(self) -> dict[str, str]:
        """Scrape it."""
        answer = await self._http.get("/metrics")
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain; version=")
        return dict(line.rsplit(" ", 1) for line in answer.text.splitlines() if not line.startswith("#"))


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    app, backlogs = FastAPI(), FakeBacklogs()
    app.include_router(metrics_router(Metrics(toy, [], FakeClock()), cast("Backlogs", backlogs)))
    async with client(app) as http:
        yield Page(http, backlogs)


WAITING = 'quartet_outbox_waiting{service="toy"}'
BATCHES = 'quartet_batch_events_count{service="toy"}'


async def test_the_backlog_is_counted_now_and_then(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many scrape; once it is old it is counted anew."""
    shown = [await page.read() for _ in range(3)]
    assert [each[WAITING] for each in shown] == ["1.0"] * 3
    assert page.backlogs.counted == 1
    monkeypatch.setattr("shared.http.metrics.BACKLOG_MAX_AGE_S", 0.0)
    assert (await page.read())[WAITING] == "2.0"


async def test_without_a_database_there_is_all_the_rest(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing that was true before."""
    assert WAITING in await page.read()
    monkeypatch.setattr("shared.http.metrics.BACKLOG_MAX_AGE_S", 0.0)
    page.backlogs.error = LOST
    shown = await page.read()
    assert WAITING not in shown
    assert shown[BATCHES] == "0.0"


async def test_a_database_that_does_not_answer_is_not_waited_for(page: Page) -> None:
    """Longer than a scrape has time; who scrapes meanwhile does not wait at all."""
    page.backlogs.answering.clear()
    first = asyncio.create_task(page.read())
    await page.backlogs.asked.wait()
    assert BATCHES in await page.read()
    assert not first.done()
    assert WAITING not in await first
