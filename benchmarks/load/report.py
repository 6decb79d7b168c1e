"""A run on the screen, as JSON, and as Locust's HTML report with our table on top."""

import html
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.load.cpu import OURSELVES
from benchmarks.load.verdict import Run, sentences
from benchmarks.percentiles import Latency

OFF_MAX_LINES = 20
"""So much of what is off is printed; all of it stands in the JSON."""
REPORTS_MAX = 20
"""Older ones are deleted."""
SHOWN_MIN_CORES = 0.005
LATENCY_COLUMNS = ("count", "p50 ms", "p99 ms", "p99.9 ms", "max ms")
INTENDED = "order, intended arrival to settled"


def show(console: Console, run: Run) -> None:
    """Print a run."""
    for title, latencies in _groups(run):
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        table.add_column(title, no_wrap=True)
        for column in LATENCY_COLUMNS:
            table.add_column(column, justify="right", no_wrap=True)
        for name, latency in latencies.items():
            table.add_row(name, *_cells(latency))
        console.print(table)
        console.print()
    console.print(_cores(run), soft_wrap=True)
    for what, counts in (("given up", run.given_up), ("answers other than 2xx", _unusual(run))):
        for told, count in counts.items():
            console.print(f"{what}: {count:,} × {told}", soft_wrap=True)
    for line in run.off[:OFF_MAX_LINES]:
        console.print(f"  off: {line}", style="red", soft_wrap=True)
    if len(run.off) > OFF_MAX_LINES:
        console.print(f"  and {len(run.off) - OFF_MAX_LINES:,} more, in the JSON", style="red")
    for sentence in sentences(run):
        console.print(sentence, style="bold green" if run.succeeded else "bold red", soft_wrap=True)


def write(folder: Path, run: Run, locust_html: str) -> Path:
    """Write the JSON and, beside it, the HTML report; give the path of the latter."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / time.strftime("%Y%m%dT%H%M%S", time.gmtime())
    told = asdict(run) | {"saturated": run.saturated, "succeeded": run.succeeded, "sentences": sentences(run)}
    stem.with_suffix(".json").write_text(json.dumps(told, indent=1))
    page = stem.with_suffix(".html")
    page.write_text(on_top(locust_html, summary_html(run)))
    for kind in ("*.json", "*.html"):
        for old in sorted(folder.glob(kind))[:-REPORTS_MAX]:
            old.unlink()
    return page


def on_top(locust_html: str, summary: str) -> str:
    """Put a summary above Locust's report.

    Raises:
        ValueError: the report has no body that a summary could stand in.
    """
    before, body, after = locust_html.rpartition("<body>")
    if not body:
        raise ValueError("Locust's report has no <body> any more")
    return before + body + summary + after


def summary_html(run: Run) -> str:
    """Write the verdict and the tables as HTML."""
    parts = [f"<h1>{run.planned:,} orders at {run.rate:g}/s, seed {run.seed}</h1>"]
    parts += [f"<p><strong>{html.escape(sentence)}</strong></p>" for sentence in sentences(run)]
    for title, latencies in _groups(run):
        head = "".join(f"<th>{html.escape(column)}</th>" for column in (title, *LATENCY_COLUMNS))
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in (name, *_cells(latency))) + "</tr>"
            for name, latency in latencies.items()
        )
        parts.append(f"<table><tr>{head}</tr>{rows}</table>")
    parts.append(f"<p>{html.escape(_cores(run))}</p>")
    parts.append("<p>Below, Locust's own report: its aggregate and its charts are of the orders alone, and its ")
    parts.append("“users” are the orders in flight.</p>")
    return f'<section id="quartet">{STYLE}{"".join(parts)}</section>'


STYLE = """<style>
#quartet { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 1rem 1.5rem;
           background: #fff; color: #111; border: 1px solid #999; border-radius: 6px }
#quartet h1 { font-size: 1.3rem; margin: 0 0 .5rem }
#quartet table { border-collapse: collapse; margin: 1rem 0; width: 100% }
#quartet th, #quartet td { padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #ddd }
#quartet th:first-child, #quartet td:first-child { text-align: left }
</style>"""


def _groups(run: Run) -> Iterator[tuple[str, Mapping[str, Latency | None]]]:
    yield INTENDED, run.kinds
    yield "request, sent to answered", run.requests
    yield "this program", {"began an order too late by": run.began_late}


def _cells(latency: Latency | None) -> tuple[str, ...]:
    if latency is None:
        return ("0", *["–"] * (len(LATENCY_COLUMNS) - 1))
    times_ms = (latency.p50_ms, latency.p99_ms, latency.p999_ms, latency.max_ms)
    return (f"{latency.count:,}", *(f"{time_ms:,.1f}" for time_ms in times_ms))


def _cores(run: Run) -> str:
    programs = {name: cores for name, cores in run.shares.programs.items() if cores >= SHOWN_MIN_CORES}
    used = ", ".join(f"{name} {cores:.2f}" for name, cores in programs.items())
    told = f"{run.shares.cores} cores: {used}; other than this {run.shares.elsewhere:.2f}"
    ours = sum(cores for name, cores in programs.items() if name != OURSELVES)
    if run.settled_per_s and len(programs) > 1:
        told += f". That is {ours / run.settled_per_s * 1000:.1f} ms of Quartet for each order that settled"
    return told


def _unusual(run: Run) -> dict[str, int]:
    return {told: count for told, count in run.answers.items() if not told.rpartition(" ")[2].startswith("2")}
