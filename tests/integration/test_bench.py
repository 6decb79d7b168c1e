"""`make bench` in small: it runs, it adds up, and it says so where it does not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.dance.books import DoesNotAddUpError, check
from benchmarks.dance.players import playing
from benchmarks.dance.servers import serving
from infra.home import REPOSITORY

BENCH_TIMEOUT_S = 240.0
"""Beside all other suites; alone it takes a quarter of that."""
pytestmark = [pytest.mark.native, pytest.mark.timeout(2 * BENCH_TIMEOUT_S)]  # it brings servers of its own


def test_a_small_run(tmp_path: Path) -> None:
    """It leaves a table, JSON with every figure, and a picture."""
    command = (sys.executable, "-m", "benchmarks.dance", "--rounds", "1", "--orders", "300", "--seconds", "1")
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


async def test_numbers_count_only_if_everything_adds_up() -> None:
    """A unit of stock too few, or a charge too many, and there is no number."""
    async with serving() as servers, playing(servers, 500, 100) as quartet:
        await quartet.order.tell("saturate", orders=20, in_flight=20)
        await check(servers, quartet, 20)
        with pytest.raises(DoesNotAddUpError, match="21 orders were placed and 20 charged"):
            await check(servers, quartet, 21)
        connection = await servers.connect()
        await connection.execute(
            "UPDATE inventory_service.stock SET available = available - 1, sold = sold + 1 WHERE sku = 'sku-07'"
        )
        await connection.close()
        with pytest.raises(DoesNotAddUpError, match="1 SKUs do not add up"):
            await check(servers, quartet, 20)
