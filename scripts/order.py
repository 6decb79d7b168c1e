"""`quartet order ID`: all that happened to an order, and what must happen next."""

import json
from typing import Annotated
from uuid import UUID

import typer
from rich.table import Table
from rich.text import Text

from scripts.onlooker import Document, looking
from scripts.sentences import sentences
from scripts.stack_screen import complain, out

UNKNOWN = 1
TIME_OF_DAY = slice(len("2026-01-02T"), len("2026-01-02T03:04:05.678"))  # of an ISO time
HUES = {"order": "blue", "inventory": "green", "payment": "yellow", "notification": "magenta"}
STATES = {"stuck": "bold red", "completed": "green", "compensated": "cyan"}

app = typer.Typer(add_completion=False)


@app.command()
def order(
    context: typer.Context,
    order_id: Annotated[UUID, typer.Argument(help="Its id.", show_default=False)],
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Tell the story of an order, and what comes next; exit with 1 where no service has told of it."""
    with sentences(), looking(context) as onlooker:
        found = onlooker.get(f"/api/orders/{order_id}")
    if found is None:
        complain(f"no service has told of an order {order_id}")
        raise typer.Exit(UNKNOWN)
    if as_json:
        out.print_json(json.dumps(found))
    else:
        _show(found)


def _show(found: Document) -> None:
    state = Text(found["state"], STATES.get(found["state"], "bold"))
    if found["state"] != found["status"]:
        state.append(f" ({found['status']})", "dim")
    if found["reason"]:
        state.append(f" {found['reason'].replace('_', ' ')}", "dim")
    placed = found["placed_at"][TIME_OF_DAY]
    out.print(Text.assemble(("Order ", "bold"), found["order_id"], "  ", state), soft_wrap=True)
    books = "books closed" if found["settled"] else "books open"
    about = f"{found['customer_id'] or '?'}, placed at {placed} UTC, {found['events']} events, {books}"
    out.print(Text(f"customer {about}, trace {found['trace_id'] or '–'}", "dim"), soft_wrap=True)
    out.print(_timeline(found))
    out.print()
    for place in found["silent"]:
        out.print(Text(f"{place['service']} does not answer ({place['why']})", "red"))
    if not found["next"]:
        out.print(Text("Nothing comes next: every reaction has happened.", "green"))
    else:
        out.print(Text("What comes next", "bold"))
        out.print(_next(found))


def _timeline(found: Document) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("after", justify="right", no_wrap=True)
    for column in ("service", "event", "because of"):
        table.add_column(column, no_wrap=column != "because of")
    table.add_column("took", justify="right", no_wrap=True)
    for event in found["log"]:
        table.add_row(
            f"+{event['since_ms']:,.0f} ms",
            Text(event["service"], HUES.get(event["service"], "")),
            Text(event["name"], "" if event["public"] else "dim"),
            Text(_because(event), "yellow" if event["attempts"] > 1 else "dim"),
            "" if event["after_ms"] is None else f"{event['after_ms']:,.0f} ms",
        )
    return table


def _because(event: Document) -> str:
    cause = event["cause_name"] or " or ".join(event["by"]) or "somebody outside"
    answered = f", {event['answered']} answered" if event["answered"] else ""
    again = f", attempt {event['attempts']}" if event["attempts"] > 1 else ""
    return f"{cause}{answered}{again}"


def _next(found: Document) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for _ in range(2):
        table.add_column()
    for wait in found["next"]:
        name = Text(f"  {wait['name']}", HUES.get(wait["service"], ""))
        table.add_row(name, Text(_what(wait), "red" if wait["overdue_since"] else ""))
    return table


def _what(wait: Document) -> str:
    kinds = {
        "reaction": f"reacts to {wait['event']}",
        "dead letter": f"failed on {wait['event']}, which was set aside: quartet dlq list",
        "intent": f"is to be answered from outside, since {wait['event']}",
        "unread": f"has reacted to {wait['event']}; what came of it is still to be read",
        "timer": "ends the wait, unless a verdict comes first",
    }
    parts = [kinds[wait["kind"]]]
    if wait["kind"] not in {"timer", "unread"}:
        parts.append(f"awaited for {wait['waits_s']:,.0f} s")
    if wait["overdue_since"]:
        parts.append(f"overdue since {wait['overdue_since'][TIME_OF_DAY]} UTC")
    if wait["intent"] and wait["kind"] != "timer":
        parts.append(f"asked {wait['intent']['attempts']} times")
        parts += [wait["intent"]["last_error"]] if wait["intent"]["last_error"] else []
        parts += ["parked: quartet parked release"] if wait["intent"]["parked_at"] else []
    return "; ".join([*parts, *([wait["why"]] if wait["why"] else [])])
