"""The command: rounds of floor, batches and one by one, then a table, JSON and a plot."""

import asyncio
import os
import platform
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import psutil
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.dance.books import DoesNotAddUpError
from benchmarks.dance.floor import floor_of
from benchmarks.dance.measure import BATCHED, ONE_BY_ONE, measure
from benchmarks.dance.plot import draw
from benchmarks.dance.results import Round, document_of, rows_of
from benchmarks.dance.servers import serving
from infra.failure import StackError
from infra.home import REPOSITORY

ROUNDS_MAX = 20
ORDERS_MAX = 200_000
SECONDS_MAX = 300.0
RESULTS = REPOSITORY / ".quartet" / "bench"


def bench(
    rounds: Annotated[int, typer.Option(min=1, max=ROUNDS_MAX, help="Each measures everything once.")] = 3,
    orders: Annotated[int, typer.Option(min=100, max=ORDERS_MAX, help="In batches; a twentieth one by one.")] = 12_000,
    seconds: Annotated[float, typer.Option(min=1, max=SECONDS_MAX, help="Idle, and at half load.")] = 15.0,
    results: Annotated[Path, typer.Option(help="Where results.json and results.svg go.")] = RESULTS,
) -> None:
    """Measure what one order costs, and how fast orders settle. The machine should have nothing else to do."""
    console = Console(highlight=False)
    try:
        measured, machine = asyncio.run(_measure(console, rounds, orders, seconds))
    except DoesNotAddUpError as error:
        typer.echo(f"bench: {error}: these numbers do not count", err=True)
        raise typer.Exit(1) from error
    except (StackError, OSError, EOFError, TimeoutError) as error:
        typer.echo(f"bench: {type(error).__name__}: {error}", err=True)
        raise typer.Exit(2) from error
    console.print(_table(measured))
    results.mkdir(parents=True, exist_ok=True)
    (results / "results.json").write_bytes(orjson.dumps(document_of(measured, machine), option=orjson.OPT_INDENT_2))
    draw(measured, results / "results.svg")
    console.print(f"stock, money and mails add up; results.json and results.svg are in {results}", soft_wrap=True)


async def _measure(console: Console, rounds: int, orders: int, seconds: float) -> tuple[list[Round], dict[str, Any]]:
    batched = replace(BATCHED, orders=orders)
    one_by_one = replace(ONE_BY_ONE, orders=max(orders // 20, 1))
    measured: list[Round] = []
    machine = _machine()
    async with serving() as servers:
        for number in range(1, rounds + 1):
            floor = await floor_of(servers, orders)
            together = await measure(servers, batched, seconds)
            alone = await measure(servers, one_by_one, seconds)
            measured.append(Round(floor, together, alone))
            console.print(
                f"round {number} of {rounds}: {together.orders_per_s:,.0f} orders/s in batches at"
                f" {together.cpu_ms_in_all:.2f} ms each, {alone.orders_per_s:,.0f} one by one;"
                f" the transactions alone would do {floor.orders_per_s:,.0f}"
            )
    return measured, machine | {"load_after": os.getloadavg()[0]}


def _machine() -> dict[str, Any]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": psutil.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": os.getloadavg()[0],
    }


def _table(rounds: list[Round]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("median (least–most)", justify="right")
    table.add_column("")
    table.add_column("target", justify="right")
    table.add_column("")
    for row in rows_of(rounds):
        verdict = "" if row.met is None else "[green]met[/]" if row.met else "[red]missed[/]"
        table.add_row(row.name, str(row.value), row.unit, row.target, verdict)
    return table


if __name__ == "__main__":
    typer.run(bench)
