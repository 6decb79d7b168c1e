"""`quartet stats`: what waits, is parked or was set aside, at every service and in the broker."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated

import typer
from aio_pika.exceptions import AMQPError
from rich.markup import escape
from rich.table import Table

from infra.audit.lanes import depths
from infra.credentials import Credentials
from infra.failure import StackError
from infra.home import Home
from infra.ports import AMQP, HOST, SERVICES
from infra.rabbitmq.users import OBSERVER, VHOST
from scripts.operations import Document, Operations, asking
from scripts.sentences import NOT_UP, sentences
from scripts.stack_screen import duration, out, rows_table

BACKLOG_TIMEOUT_S = 5.0
"""A service that has not counted by then does not answer: the others are not to wait for it."""

app = typer.Typer(add_completion=False)


@app.command()
def run(context: typer.Context, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Show outboxes, inboxes, intents, queues, dead letters: what is not done. Who does not answer is shown as such."""
    with sentences(), asking(context) as operations:
        backlogs, queues = _backlogs(operations), _queues()
        if queues is None and not any(backlogs.values()):
            raise StackError(f"nobody answers. {NOT_UP}")
        if as_json:
            out.print_json(json.dumps({"services": backlogs, "queues": queues}))
            return
        _show_services(backlogs)
        _show_held_up(backlogs)
        _show_queues(queues)
        _show_by_lane(backlogs, "retries", ("lane", "events", "attempts", "oldest"))
        _show_by_lane(backlogs, "dead_letters", ("lane", "error_class", "letters", "oldest"))


def _backlogs(operations: Operations) -> dict[str, Document | None]:
    """Ask all services at the same time; None for one that does not answer."""

    def ask(service: str) -> Document | None:
        try:
            return operations.get(service, "/backlog", timeout_s=BACKLOG_TIMEOUT_S)
        except StackError:
            return None

    with ThreadPoolExecutor(len(SERVICES)) as pool:
        return dict(zip(SERVICES, pool.map(ask, SERVICES), strict=True))


def _queues() -> dict[str, int] | None:
    """Ask the broker how many messages lie in each queue; None where it does not answer."""
    try:
        password = Credentials.read(Home.locate().secrets).broker(OBSERVER)
        return asyncio.run(depths(f"amqp://{OBSERVER}:{password}@{HOST}:{AMQP}/{VHOST}"))
    except (KeyError, AMQPError, OSError, TimeoutError):
        return None


def _show_services(backlogs: Mapping[str, Document | None]) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("service")
    for heading in ("outbox", "oldest", "inbox", "newest", "intents", "due", "overdue", "parked", "dead letters"):
        table.add_column(heading, justify="right")
    for service, backlog in backlogs.items():
        if backlog is None:
            table.add_row(service, "[red]does not answer[/]")
            continue
        outbox, inbox, intents = backlog["outbox"], backlog["inbox"], backlog["intents"]
        overdue_s = max((each["oldest_due_s"] or 0 for each in intents), default=0)
        parked = outbox["parked"] + sum(each["parked"] for each in intents)
        letters = sum(each["letters"] for each in backlog["dead_letters"])
        table.add_row(
            service,
            f"{outbox['waiting']:,}",
            duration(outbox["oldest_s"]),
            "" if inbox["about"] is None else f"~{inbox['about']:,}",
            duration(inbox["newest_s"]),
            f"{sum(each['waiting'] for each in intents):,}",
            f"{sum(each['due'] for each in intents):,}",
            duration(overdue_s or None),
            _alarming(parked),
            _alarming(letters),
        )
    out.print(table)


def _show_held_up(backlogs: Mapping[str, Document | None]) -> None:
    for service, backlog in backlogs.items():
        if held_up := (backlog or {}).get("held_up"):
            what = "an event" if held_up["events"] == 1 else f"{held_up['events']:,} events"
            since = f"since {held_up['since'][11:19]} UTC"
            out.print(f"[red]{service} tries {what} again and again, {since}:[/]", escape(held_up["error"]))


def _show_queues(queues: Mapping[str, int] | None) -> None:
    if queues is None:
        out.print("[red]The broker does not answer.[/]")
        return
    filled = [{"lane": queue, "messages": count} for queue, count in queues.items() if count]
    out.print(f"{sum(queues.values()):,} messages in {len(filled)} of {len(queues)} queues")
    rows_table(filled, ("lane", "messages"))


def _show_by_lane(backlogs: Mapping[str, Document | None], what: str, columns: Sequence[str]) -> None:
    rows = [
        {**each, "oldest": duration(each["oldest_s"])}
        for backlog in backlogs.values()
        for each in (backlog or {}).get(what, ())
    ]
    rows_table(rows, columns)


def _alarming(count: int) -> str:
    return f"[bold red]{count:,}[/]" if count else "0"
