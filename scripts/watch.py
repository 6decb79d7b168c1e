"""`quartet watch`: how everything is right now, in a table that stays up to date."""

import json
import time
from typing import Annotated

import typer
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from infra.failure import StackError
from scripts.onlooker import Document, Onlooker, looking
from scripts.order import HUES, STATES
from scripts.sentences import sentences
from scripts.stack_screen import out

LOOK_EVERY_S = 1.0
GROUPS_SHOWN_MAX = 8

app = typer.Typer(add_completion=False)


@app.command()
def watch(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: a line for each look.")] = False,
) -> None:
    """Watch orders, lanes, outboxes and what is stuck, until it is interrupted."""
    with sentences(), looking(context) as onlooker:
        if as_json:
            _as_lines(onlooker, once)
        elif once or not out.is_terminal:
            out.print(_picture(*_look(onlooker)))
        else:
            _live(onlooker)


def _as_lines(onlooker: Onlooker, once: bool) -> None:
    while True:
        stage, stuck = _look(onlooker)
        typer.echo(json.dumps({**stage, "stuck": stuck["groups"]}))
        if once:
            return
        time.sleep(LOOK_EVERY_S)


def _live(onlooker: Onlooker) -> None:
    with Live(_picture(*_look(onlooker)), console=out, auto_refresh=False, screen=True) as live:
        while True:
            time.sleep(LOOK_EVERY_S)
            try:
                picture: RenderableType = _picture(*_look(onlooker))
            except StackError as error:  # it may come back, and then goes on
                picture = Text(str(error), "red")
            live.update(picture, refresh=True)


def _look(onlooker: Onlooker) -> tuple[Document, Document]:
    return onlooker.get("/api/stage") or {}, onlooker.get("/api/stuck") or {}


def _picture(stage: Document, stuck: Document) -> Group:
    counts = [Text(f"{count:,} {state}", STATES.get(state, "")) for state, count in stage["orders"].items()]
    counts += [Text(f"{stage['events_per_min']:,} events a minute", "dim")]
    return Group(
        Columns(counts, padding=(0, 3)),
        Text(),
        _services(stage),
        *_held_up(stage),
        Text(),
        _lanes(stage),
        *_stuck(stuck),
    )


def _services(stage: Document) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("service", "outbox", "oldest", "intents", "due", "parked", "to retry", "behind"):
        table.add_column(column, justify="left" if column == "service" else "right")
    behind = {place["service"]: place["behind"] for place in stage["behind"]}
    for each in stage["services"]:
        name = Text(each["service"], HUES.get(each["service"], ""))
        if not each["answers"]:
            table.add_row(name, Text("silent", "bold red"))
            continue
        outbox, intents = each["outbox"], each["intents"]
        parked = outbox["parked"] + sum(intent["parked"] for intent in intents)
        table.add_row(
            name,
            str(outbox["waiting"]),
            "" if outbox["oldest_s"] is None else f"{outbox['oldest_s']:.0f} s",
            str(sum(intent["waiting"] for intent in intents)),
            str(sum(intent["due"] for intent in intents)),
            Text(str(parked), "bold red" if parked else ""),
            str(each["retries"]),
            "–" if behind[each["service"]] is None else str(behind[each["service"]]),
        )
    return table


def _held_up(stage: Document) -> list[Text]:
    return [Text(each["held_up"], "red") for each in stage["services"] if each.get("held_up")]


def _lanes(stage: Document) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("event", "reaction", "a minute", "events", "messages", "to retry", "stuck", "oldest", "dead"):
        table.add_column(column, justify="left" if column in ("event", "reaction") else "right", no_wrap=True)
    for lane in stage["lanes"]:
        slow = lane["stuck"] or lane["retries"]
        style = "red" if lane["dead_letters"] or lane["unheard"] else "yellow" if slow else ""
        table.add_row(
            lane["event"],
            ", ".join(lane["reactions"]),
            str(stage["rates"][lane["event"]]),
            str(lane["events"]),
            "–" if lane["messages"] is None else str(lane["messages"]),
            "–" if lane["retries"] is None else str(lane["retries"]),
            str(lane["stuck"]),
            "" if lane["oldest_s"] is None else f"{lane['oldest_s']:.0f} s",
            str(lane["dead_letters"]),
            style=style,
        )
    return table


def _why(group: Document) -> str:
    return f": {group['why']}" if group.get("why") else ""


def _stuck(stuck: Document) -> list[Text]:
    lines = [
        Text(f"{group['waiting_for']}: {group['orders']:,} stuck, such as {group['ids'][0]}{_why(group)}", "red")
        for group in stuck["groups"][:GROUPS_SHOWN_MAX]
    ]
    return [Text(), *lines] if lines else []
