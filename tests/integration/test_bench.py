"""`make bench` in small: it runs, it adds up, and it says so where it does not."""

import json
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from benchmarks.dance import books
from benchmarks.dance.books import DoesNotAddUpError, add_up
from benchmarks.dance.servers import PLENTY
from infra.home import REPOSITORY
from infra.native.postgres import SUPERUSER
from tests.integration.shop import LocalShop
from tests.integration.stage import Stage

BENCH_TIMEOUT_S = 500.0
"""Beside all other suites; alone it takes a quarter of that."""
pytestmark = [pytest.mark.native, pytest.mark.timeout(2 * BENCH_TIMEOUT_S)]  # a run brings servers of its own


def test_a_small_run(tmp_path: Path) -> None:
    """It leaves a table, JSON with every figure, and a picture."""
    command = (sys.executable, "-m", "benchmarks.dance", "--rounds", "1", "--orders", "100", "--seconds", "1")
    done = subprocess.run(
        (*command, "--results", str(tmp_path)),
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=BENCH_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "stock, money and mails add up" in " ".join(done.stdout.split())
    told = json.loads((tmp_path / "results.json").read_text())
    assert all(figure["value"]["median"] > 0 for figure in told["figures"])
    assert (tmp_path / "results.svg").read_text().startswith("<?xml")


@pytest.mark.integration
async def test_numbers_count_only_if_everything_adds_up(
    stage: Stage, shop: LocalShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A charge too few or of another amount, or a unit of stock too few, and there is no number."""
    await stage.offer(rosin=PLENTY)
    orders = [await shop.bought({"rosin": quantity}) for quantity in (1, 2)]
    captured = {order["order_id"]: order["total"]["amount"] for order in orders}
    connection = await asyncpg.connect(stage.servers.database_url(SUPERUSER))
    try:
        await add_up(connection, captured, len(orders))
        with pytest.raises(DoesNotAddUpError, match="3 orders were placed and 2 charged"):
            await add_up(connection, captured, 3)
        wrong = orders[1]["order_id"]
        with pytest.raises(DoesNotAddUpError, match=f"1 charges are of no order's amount, such as {wrong}"):
            await add_up(connection, captured | {wrong: 1}, len(orders))
        await connection.execute("UPDATE inventory_service.stock SET available = available - 1, sold = sold + 1")
        monkeypatch.setattr(books, "QUIET_TIMEOUT_S", 0.5)
        with pytest.raises(DoesNotAddUpError, match="1 SKUs do not add up"):
            await add_up(connection, captured, len(orders))
    finally:
        await connection.close()
