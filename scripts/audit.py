"""`quartet audit`: what Quartet promises, held against all books: four schemas, the queues, the provider's ledger."""

import asyncio
import gc
import json
import logging
import re
from collections.abc import Iterator
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.audit.audit import OUT_OF_REACH, Scope, Sources, audit
from infra.audit.document import document_of
from infra.audit.facts import Bounds, LogPage
from infra.audit.findings import EVERY_RULE, Findings
from infra.audit.logs import pages_in, pages_of
from infra.audit.rules.rule import Kind
from infra.credentials import AUDITOR, Credentials
from infra.docker.logs import whole_logs
from infra.docker.project import Project
from infra.failure import StackError
from infra.home import Home
from infra.ports import AMQP, HOST, POSTGRES, PROVIDER
from infra.rabbitmq.users import OBSERVER, VHOST
from infra.run import Mode, Run
from shared.ports import RefusedError

SHOWN_MAX = 20
"""So many breaks are listed on a screen; `--json` has more."""
BROKEN, UNREACHABLE = 1, 2
UNITS_S = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}
DURATION_MAX_S = 100 * 365 * UNITS_S["d"]
DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")

app = typer.Typer(add_completion=False)


def seconds(text: str) -> float:
    """Read a duration such as `90`, `5s`, `10m`, `2h` or `1d`.

    Raises:
        typer.BadParameter: it is none.
    """
    match = DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) * UNITS_S[match[2]] > DURATION_MAX_S:
        raise typer.BadParameter(f"{text!r} is no duration, such as 5s, 10m or 2h")
    return float(match[1]) * UNITS_S[match[2]]


@app.command()
def run(
    since: Annotated[str, typer.Option(help="Only orders that something happened to since: 10m, 2h.")] = "",
    settled_for: Annotated[str, typer.Option(help="How long an order must have been at rest.")] = "5s",
    overdue: Annotated[str, typer.Option(help="How long anything may wait.")] = "5m",
    instant: Annotated[bool, typer.Option("--instant", help="Only what holds at every instant.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Hold everything that was written down against every promise; exit with 1 if one is broken."""
    logging.disable()  # what the libraries would log is said in one line below
    gc.disable()  # what was read is let go with its last reference; looking for cycles costs a third of the time
    bounds = Bounds(settled_for_s=seconds(settled_for), overdue_s=seconds(overdue))
    scope = Scope(seconds(since) if since else None, instant, bounds)
    try:
        findings = asyncio.run(audit(sources_of(Home.locate()), scope))
    except RefusedError as error:
        typer.echo(f"audit: what is stored cannot even be read, and no service wrote it so: {error}", err=True)
        raise typer.Exit(BROKEN) from error
    except (*OUT_OF_REACH, KeyError, StackError) as error:
        why = f"{type(error).__name__}: {error}".splitlines()[0]
        typer.echo(f"audit: not everything answers ({why}): `make up` first, or `make status`", err=True)
        raise typer.Exit(UNREACHABLE) from error
    if as_json:
        typer.echo(json.dumps(document_of(findings), indent=2))
    else:
        _show(Console(highlight=False), findings)
    raise typer.Exit(0 if findings.is_clean else BROKEN)


def sources_of(home: Home) -> Sources:
    """Say where the books of this stack are.

    Raises:
        KeyError: it was never brought up, or by an older version.
    """
    credentials = Credentials.read(home.secrets)
    return Sources(
        database_url=f"postgresql://{AUDITOR}:{credentials.role(AUDITOR)}@{HOST}:{POSTGRES}/quartet",
        broker_url=f"amqp://{OBSERVER}:{credentials.broker(OBSERVER)}@{HOST}:{AMQP}/{VHOST}",
        provider_url=f"http://{HOST}:{PROVIDER}",
        logs=partial(_log_pages, home),
    )


def _log_pages(home: Home) -> Iterator[LogPage]:
    """Read what the programs wrote, natively and, where they run in containers, there."""
    yield from pages_in(home.logs)
    run = Run.read(home.running)
    if run and run.mode is Mode.DOCKER:
        for container, lines in whole_logs(Project(home)):
            yield from pages_of(container, lines)


def _show(console: Console, findings: Findings) -> None:
    table = Table("", "checked", "broken", "promise", box=None, pad_edge=False)
    for kind in Kind:
        told = [rule for rule in EVERY_RULE if rule.kind is kind and rule.name in findings.tallies]
        if told:
            table.add_row(f"[bold]{kind}[/]")
        for rule in told:
            tally = findings.tallies[rule.name]
            style = "bold red" if tally.broken else None
            table.add_row(f"  {rule.name}", f"{tally.checked:,}", f"{tally.broken:,}", rule.promise, style=style)
    console.print(table)
    for each in findings.breaks[:SHOWN_MAX]:
        console.print(f"[bold red]{each.rule}[/] [bold]{each.about}[/] ", end="")
        console.print(each.how, markup=False, soft_wrap=True)
    if (more := sum(findings.broken.values()) - SHOWN_MAX) > 0:
        console.print(f"… and about {more:,} more: `quartet audit --json`")
    for unread in findings.unread:
        console.print(f"[yellow]not read[/] {unread}")
    verdict = "[bold green]Every promise is kept.[/]" if findings.is_clean else "[bold red]Promises are broken.[/]"
    console.print(f"\n{findings.orders:,} orders in {findings.took_s:.1f} s. {verdict}")
