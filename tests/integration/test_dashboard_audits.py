"""Consistency: the auditor beside the dashboard, and the page that shows what it found."""

from pathlib import Path

import pytest

from tests.integration.dashboards import GOODS, Dashboard, auditor, bought, dashboard
from tests.integration.shop import LocalShop
from tests.integration.spoilt import letter
from tests.integration.stage import Actor, Stage
from tests.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.once]


async def consistency(board: Dashboard, said: str) -> str:
    """Have an audit run from the page, and wait until the page says what came of it."""
    assert (await board.post("/consistency")).status_code == 303

    async def look() -> str:
        page = await board.page("/consistency")
        assert "An audit is running" not in page
        assert said in page
        return page

    return await eventually(look)


async def test_an_audit_from_the_page(stage: Stage, actors: dict[str, Actor], shop: LocalShop) -> None:
    """The auditor reads what the dashboard may not; what it could not read is named, and so is the rule about that."""
    await stage.offer(**GOODS)
    async with auditor(stage) as address, dashboard(stage, actors, auditor_url=address) as board:
        assert "None was run" in await board.page("/consistency")
        await bought(stage, shop)
        page = await consistency(board, "Every promise is kept")
        assert "5 orders in" in page
        assert "Not read: the programs&#39; logs, which are out of reach here: `quartet audit` asks no-card-log" in page
        assert "<code>no-card-log</code>" not in page
        await stage.auditor.rows(letter("card 4111111111111111", "forged"))
        assert "<b>no-secret-letter</b>" in await consistency(board, "Promises are broken")


async def test_an_audit_of_the_logs_too(stage: Stage, actors: dict[str, Actor], tmp_path: Path) -> None:
    """Where a setting says where they are."""
    (tmp_path / "order.log").write_text("card 4111111111111111 was refused\n")
    async with auditor(stage, tmp_path) as address, dashboard(stage, actors, auditor_url=address) as board:
        page = await consistency(board, "Promises are broken")
        assert "<b>no-card-log</b>" in page
        assert "Not read" not in page


async def test_without_an_auditor(stage: Stage, actors: dict[str, Actor]) -> None:
    """Whether it is silent or no setting names it: the page says so, and nothing is begun."""
    async with dashboard(stage, actors) as board:
        assert "no setting says where the auditor is" in await board.page("/consistency")
        assert (await board.post("/consistency")).status_code == 422
    async with dashboard(stage, actors, auditor_url="http://127.0.0.1:1") as board:
        assert "The auditor does not answer" in await board.page("/consistency")
        assert (await board.post("/consistency")).status_code == 502
