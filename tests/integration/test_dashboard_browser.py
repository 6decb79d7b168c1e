"""The dashboard in a real browser: every page by day and by night, wide and narrow; live; and a replay from a page."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from infra.home import REPOSITORY
from services.notification.reactions import reactions as notification
from tests.browsing import PAGES, PHONE, WIDE, Visitor, visitor
from tests.integration.dashboards import Dashboard, auditor, dashboard
from tests.integration.letters import kept
from tests.integration.operating import acts
from tests.integration.outside import OPERATOR_KEY
from tests.integration.reacting import raising
from tests.integration.served import served_app
from tests.integration.shop import LocalShop
from tests.integration.stage import Actor, Stage
from tests.waiting import DEADLINE_S, eventually

pytestmark = [pytest.mark.integration, pytest.mark.once]

IMAGES = REPOSITORY / "docs" / "images"
SHOWN = ("stage", "stage-dark", "order-dark", "stuck-order", "stuck-order-phone", "orders", "dead-letters")
"""What the documents show."""
GOODS = {"rosin": 500, "strings": 500, "bow": 50, "violin": 50}
LOOKS: tuple[tuple[str, Literal["light", "dark"], tuple[int, int]], ...] = (
    ("", "light", WIDE), ("-dark", "dark", WIDE), ("-phone", "dark", PHONE),
)  # fmt: skip
LIVE_MAX_S, LOOKS_MAX, LIVE_TRIES_MAX = 1.0, 5, 20
"""From the answer to who places an order to the moment that a page shows it: a second; and where the machine is so busy
that to fetch the page once takes long, so many times as long."""


@pytest.fixture
def images(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Path | None]:
    """Say where a picture goes, if one is taken: of every page where they are to be made anew, else of those shown."""
    anew = request.config.getoption("screenshots")

    def place(name: str) -> Path | None:
        directory = IMAGES if anew and name in SHOWN else tmp_path
        return directory / f"dashboard-{name}.png" if anew or name in SHOWN else None

    return place


@asynccontextmanager
async def visited(stage: Stage, actors: dict[str, Actor]) -> AsyncIterator[tuple[Dashboard, Visitor]]:
    """Have a browser visit a dashboard until the end of the block."""
    key = (await actors["order"].as_customer("ann"))["Authorization"].removeprefix("Bearer ")
    async with (
        auditor(stage) as auditing,
        dashboard(stage, actors, customer_key=key, auditor_url=auditing) as board,
        served_app(board.app) as address,
        visitor(address) as somebody,
    ):
        yield board, somebody
        board.parts.hub.close()  # or the server would wait for the browser's last stream


async def play(shop: LocalShop) -> None:
    """Have orders of every kind go through."""
    kinds = [({"rosin": 1}, "tok_approved")] * 6 + [
        ({"violin": 60}, "tok_approved"), ({"bow": 1}, "tok_declined"), ({"strings": 2}, "tok_flaky"),
        ({"strings": 1}, "tok_insufficient_funds"),
    ]  # fmt: skip
    placed = await asyncio.gather(*(shop.bought(lines, token) for lines, token in kinds))
    await shop.cancel(placed[0])


async def fail(stage: Stage, shop: LocalShop) -> str:
    """Have notification set the confirmation of an order aside; give the order's id."""
    async with stage.runtime("notification", raising(notification, lambda _: True)):
        placed = await shop.bought({"rosin": 1})
        await kept(stage.auditor, "notification", 1)
    return str(placed["order_id"])


@pytest.mark.timeout(900)  # thirty looks, and a browser wants more than one processor
async def test_every_page_by_day_and_by_night(stage: Stage, images: Callable[[str], Path | None]) -> None:
    """Nothing is said on the console, nothing is too pale to read, and nothing is wider than a telephone."""
    actors = await stage.start_some("order", "inventory", "payment")
    await stage.offer(**GOODS)
    async with LocalShop(stage, actors) as shop:
        await fail(stage, shop)
        actors["notification"] = await stage.start("notification")
        async with visited(stage, actors) as (board, somebody):
            await play(shop)
            await eventually(lambda: caught_up(board))
            done = (await board.json("/api/orders", state="compensated"))["orders"][0]["order_id"]
            await board.post("/consistency")
            await actors.pop("payment").stop()
            stuck = (await shop.place({"strings": 1}, "tok_approved"))["order_id"]
            await eventually(lambda: is_stuck(board, stuck))
            letters = "/dead-letters/notification?lane=notification.order.confirmed"
            pages = {
                "stage": "/", "orders": "/orders", "order": f"/orders/{done}", "stuck-order": f"/orders/{stuck}",
                "stuck": "/stuck", "dead-letters": letters, "backlog": "/backlog", "consistency": "/consistency",
                "try": "/try", "letters": "/dead-letters",
            }  # fmt: skip
            for name, path in pages.items():
                async with somebody.looking(path) as page:
                    await expect(page.locator("h1")).to_have_count(1)
                    for look, scheme, (width, height) in LOOKS:
                        await page.emulate_media(color_scheme=scheme)
                        await page.set_viewport_size({"width": width, "height": height})
                        if picture := images(f"{name}{look}"):
                            await page.screenshot(path=picture, full_page=look != "-phone")
                        assert await somebody.pale(page) == [], f"{name}{look}"
                        assert await page.evaluate("document.documentElement.scrollWidth") <= width, f"{name}{look}"
            assert somebody.complaints == []


async def caught_up(board: Dashboard) -> None:
    """Insist that all orders but the one whose event was set aside wait for nothing."""
    assert sum(group["orders"] for group in (await board.json("/api/stuck"))["groups"]) == 1
    counts = (await board.json("/api/stage"))["orders"]
    assert counts["running"] + counts["compensating"] == 0


async def is_stuck(board: Dashboard, order_id: str) -> None:
    """Insist that an order waits for too long."""
    answer = await board.http.get(f"/api/orders/{order_id}")
    assert answer.status_code == 200
    assert answer.json()["state"] == "stuck"


async def test_what_happens_is_shown_at_once(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """Within a second of its event an order is in the list, and on the stage, without anybody doing anything."""
    await stage.offer(**GOODS)
    async with visited(stage, actors) as (_, somebody):
        await shop.bought({"rosin": 1})  # opens every connection
        for path in ("/orders", "/"):
            async with somebody.looking(path) as page:
                await expect(page.locator("table tbody tr").first).to_be_visible()
                late_s: list[float] = []
                while not late_s or min(late_s) > 0:
                    assert len(late_s) < LIVE_TRIES_MAX, late_s
                    bound_s = LIVE_MAX_S + LOOKS_MAX * await look_s(page)
                    late_s.append(await seen_after_s(page, shop) - bound_s)
        assert somebody.complaints == []


async def look_s(page: Page) -> float:
    """Measure how long it takes the browser to fetch the page once more."""
    took: float = await page.evaluate(
        "async () => { const began = performance.now(); await (await fetch(location.href)).text();"
        " return (performance.now() - began) / 1000; }"
    )
    return took


async def seen_after_s(page: Page, shop: LocalShop) -> float:
    """Place an order, and measure how long after the answer the page links to it."""
    placed = await shop.place({"rosin": 1}, "tok_approved", customer_id=f"c-{uuid4()}")
    began_s = time.monotonic()
    link = page.locator(f"a[href='/orders/{placed['order_id']}']").first
    await link.wait_for(timeout=DEADLINE_S * 1000)
    return time.monotonic() - began_s


async def test_an_order_grows_while_one_looks(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """Payment stands still: the page names its reaction; it goes on, and the page says that all is done."""
    await stage.offer(**GOODS)
    async with visited(stage, actors) as (board, somebody):
        await actors.pop("payment").stop()
        order_id = (await shop.place({"rosin": 1}, "tok_approved"))["order_id"]
        await eventually(lambda: is_stuck(board, order_id))
        async with somebody.looking(f"/orders/{order_id}") as page:
            expected = page.locator("#next")
            await expect(expected).to_contain_text("payment.learn_amount", timeout=DEADLINE_S * 1000)
            await expect(expected).to_contain_text("does not answer", timeout=DEADLINE_S * 1000)
            actors["payment"] = await stage.start("payment")
            await expect(expected).to_contain_text("Nothing: every reaction", timeout=DEADLINE_S * 1000)
            await expect(page.locator("#facts")).to_contain_text("completed")


async def test_a_page_that_nobody_sees_listens_to_nothing(stage: Stage, actors: dict[str, Actor]) -> None:
    """Else six tabs in the background would keep a seventh from loading; seen again, it listens again."""
    async with visited(stage, actors) as (board, somebody), somebody.looking("/orders") as page:
        for hidden in (False, True, False):
            await page.evaluate(
                "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
                " document.dispatchEvent(new Event('visibilitychange')); }",
                hidden,
            )
            await eventually(partial(listened_to, board, not hidden))


async def listened_to(board: Dashboard, expected: bool) -> None:
    """Insist that somebody listens to the news, or that nobody does."""
    assert board.parts.hub.watched() is expected


async def test_a_replay_from_the_page(stage: Stage) -> None:
    """From the list to the letter, what would happen, a wrong key, the right one; and the service has recorded it."""
    actors = await stage.start_some("order", "inventory", "payment")
    await stage.offer(**GOODS)
    async with LocalShop(stage, actors) as shop:
        order_id = await fail(stage, shop)
        actors["notification"] = await stage.start("notification")
        async with visited(stage, actors) as (board, somebody):
            async with somebody.looking("/dead-letters") as page:
                await page.get_by_role("link", name="Open").click()
                await page.locator("tbody a.id").first.click()
                await expect(page.locator("pre")).to_contain_text("•••")
                await page.get_by_role("button", name="What would a replay do?").click()
                await expect(page.locator("tbody")).to_contain_text("reacted to anew")
                assert await acts(actors["notification"]) == []
                await page.get_by_label("The operator’s key").fill("wrong")
                await page.get_by_role("button", name="Replay 1 letter").click()
                await expect(page.get_by_role("alert")).to_contain_text("Nothing was done")
                assert await acts(actors["notification"]) == []
                await page.get_by_label("The operator’s key").fill(OPERATOR_KEY)
                await page.get_by_role("button", name="Replay 1 letter").click()
                await expect(page.locator("main")).to_contain_text("1 of 1 letters was replayed")
            assert [act[0] for act in await acts(actors["notification"])] == ["replay"]
            await stage.auditor.quiescent()
            await board.caught_up()
            assert (await board.json(f"/api/orders/{order_id}"))["next"] == []


async def test_a_keyboard_is_enough(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """From the top: past the pages to the content; a link that has the focus keeps it while the page changes."""
    await stage.offer(**GOODS)
    async with visited(stage, actors) as (_, somebody):
        await shop.bought({"rosin": 1})
        async with somebody.looking("/orders") as page:
            await page.keyboard.press("Tab")
            await expect(page.locator(".skip")).to_be_focused()
            for _ in PAGES:
                await page.keyboard.press("Tab")
            await page.locator("#filters a").first.focus()
            before = await page.locator("#filters").inner_text()
            await shop.bought({"rosin": 1})
            await expect(page.locator("#filters")).not_to_have_text(before)
            await expect(page.locator("#filters a").first).to_be_focused()
            unnamed = await page.evaluate(
                "() => [...document.querySelectorAll('a, button, input')].filter((each) => !(each.innerText"
                " || each.labels?.length || each.type === 'hidden' || each.getAttribute('aria-label'))).length"
            )
            assert unnamed == 0
