"""`quartet chaos` on a stack that is up: an experiment that holds, and one that is interrupted."""

import asyncio
import json
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

import psutil
import pytest
from playwright.async_api import expect

from infra.credentials import Credentials
from infra.home import Home
from infra.ports import DASHBOARD, HOST
from infra.run import Mode
from scripts.chaos.database import Database
from scripts.chaos.experiment import Verdict
from tests.browsing import PAGES, Visitor, visitor
from tests.e2e.conftest import COMMAND_TIMEOUT_S, Checkout, on
from tests.pictures import LOGGED, SHOWN, STANDING, TOLD
from tests.waiting import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(1800),
    on((Mode.NATIVE, 2)),
]

CHAOS = ".venv/bin/quartet chaos"
CHEAP = "kill-notification"
LOOK_AGAIN_S = 2.0
"""A browser that never rests takes a processor from the stack that it looks at."""


async def test_an_experiment_holds_while_somebody_looks_on(stack: Checkout) -> None:
    """It hit what it meant to, orders were placed, the audit found nothing; and no page of the dashboard stumbled."""
    async with visitor(f"http://{HOST}:{DASHBOARD}") as somebody, somebody.looking("/orders") as orders:
        playing = asyncio.create_task(asyncio.to_thread(stack.type, f"{CHAOS} run {CHEAP} --seed 3"))
        while not playing.done():
            await every_page(somebody)
            await asyncio.wait([playing], timeout=LOOK_AGAIN_S)
        printed = await playing
        placed = await rows(stack, "SELECT count(*) FROM order_service.orders")
        await expect(orders.locator("#filters a").first).to_have_text(
            f"all {placed[0][0]}"
        )  # it was never loaded again
        assert somebody.complaints == []
    page = next(line.partition(": ")[2] for line in printed.splitlines() if line.startswith("report: "))
    told = json.loads((stack.path / page).with_suffix(".json").read_text())
    assert (told["held"], told["seed"]) == (True, 3)
    (one,) = told["results"]
    assert (one["name"], one["verdict"], one["findings"]) == (CHEAP, Verdict.HELD, [])
    assert one["hits"] > 0
    assert one["orders"] > 0
    assert one["hypothesis"] in printed
    assert CHEAP in (stack.path / page).read_text()
    assert "none of them" in stack.type(".venv/bin/quartet simulate --traces")  # a history the model cannot make


async def every_page(somebody: Visitor) -> None:
    """Go from page to page, and to an order."""
    for path in PAGES:
        async with somebody.looking(path) as page:
            await expect(page.locator("h1")).to_have_count(1)
    async with somebody.looking("/orders") as page:
        if await page.locator("#list tbody a").count():
            await page.locator("#list tbody a").first.click()
            await expect(page.locator("#facts")).to_be_visible()


async def rows(stack: Checkout, statement: str) -> Sequence[Any]:
    """Read from all schemas of its database."""
    return await Database(Credentials.read(Home(stack.path / ".quartet").secrets).superuser).rows(statement)


async def test_the_dashboard_has_seen_what_was_broken(stack: Checkout) -> None:
    """After the experiment its picture equals the logs of the services, event by event and order by order."""

    async def told(statement: str) -> set[tuple[Any, ...]]:
        return {tuple(row) for row in await rows(stack, statement)}

    async def look() -> None:
        assert await told(LOGGED) == await told(TOLD)
        assert await told(STANDING) == await told(SHOWN)

    assert await told(LOGGED)
    await eventually(look)


def test_interrupted_it_undoes_first_what_it_broke(stack: Checkout) -> None:
    """Ctrl-C while the broker is frozen: the broker goes on, and the exit code says that it was interrupted."""
    (broker,) = [line["pid"] for line in stack.status()["programs"] if line["name"] == "rabbitmq"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUARTET_")}
    typed = [".venv/bin/quartet", "chaos", "run", "freeze-broker"]
    with subprocess.Popen(typed, cwd=stack.path, env=environment, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        seen = next((line for line in running.stdout if "is frozen" in line), "")
        assert seen, "it ended before it broke anything"
        assert psutil.Process(broker).status() == psutil.STATUS_STOPPED
        running.send_signal(signal.SIGINT)
        printed, _ = running.communicate(timeout=COMMAND_TIMEOUT_S)
    assert running.returncode == 130
    assert "goes on" in printed
    assert psutil.Process(broker).status() != psutil.STATUS_STOPPED
    assert stack.status()["ready"]
