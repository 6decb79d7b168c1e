"""What the stack's commands show: live on a terminal, line by line elsewhere."""

import re
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from infra import ports
from infra.credentials import Credentials
from infra.home import Home
from infra.ports import HOST, SERVICES
from infra.standing import Line, Phase, Standing, State

REFRESH_PER_S = 8
MURMUR_EVERY_S = 4.0
MEBIBYTE = 1024 * 1024

WIDE = 120  # where there is no terminal whose width could be asked
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
MONTH_TO_SECOND = slice(len("2026-"), len("2026-01-02T03:04:05"))  # of an ISO time

_terminal = Console()
out = Console(highlight=False, width=None if _terminal.is_terminal else WIDE)
err = Console(stderr=True, highlight=False)

STYLES = {
    State.READY: "green",
    State.DONE: "green",
    State.STARTING: "yellow",
    State.STOPPING: "yellow",
    State.RESTARTING: "red",
    State.FAILED: "red",
    State.NOT_READY: "red",
    State.MISSING: "red",
}


TOLD_UP = frozenset({State.READY, State.DONE, State.RESTARTING, State.FAILED})
TOLD_DOWN = frozenset({State.STOPPED})


class Screen:
    """Follows the programs while they start or stop."""

    def __init__(self, title: str, told: frozenset[State]) -> None:
        """`told` are the states that are worth a line where there is no terminal."""
        self._title = title
        self._worth_a_line = told
        self._began = time.monotonic()
        self._told: dict[str, State] = {}
        self._doing = ""
        self._murmured_at = self._began
        self._live = Live(console=out, refresh_per_second=REFRESH_PER_S, transient=True) if out.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """Show what is being done."""
        self._doing = text
        if self._live:
            self._live.update(self._picture({}))
        else:
            out.print(text, markup=False)

    def murmur(self, text: str) -> None:
        """Show that it goes on: on a terminal as it comes, elsewhere a line now and then."""
        now = time.monotonic()
        if self._live or now - self._murmured_at > MURMUR_EVERY_S:
            self._murmured_at = now
            self.say(f"  {text}")

    def tell(self, text: str) -> None:
        """Say something that stays."""
        out.print(text, markup=False, soft_wrap=True)

    def show(self, phase: Phase, states: Mapping[str, State]) -> None:
        """Show how the programs stand, or where there is no terminal, what has changed since."""
        if self._live:
            self._doing = phase
            self._live.update(self._picture(states))
            return
        for name, state in states.items():
            if state in self._worth_a_line and self._told.get(name) is not state:
                out.print(f"{time.monotonic() - self._began:5.1f} s  {name} {state}", markup=False)
            self._told[name] = state

    def _picture(self, states: Mapping[str, State]) -> Group:
        seconds = f"{time.monotonic() - self._began:.0f} s"
        heading = Spinner("dots", Text(f"{self._title}: {self._doing[: out.width - 30]} ({seconds})"))
        table = Table.grid(padding=(0, 2))
        for name, state in states.items():
            table.add_row("", name, Text(state, STYLES.get(state, "dim")))
        return Group(heading, table)


def complain(sentence: str, lines: Sequence[str] = ()) -> None:
    """Say what went wrong in one line, after the lines of the log that explain it."""
    for line in lines:
        err.print(f"  {line}", style="dim", markup=False)
    err.print(f"quartet: {sentence}", style="red", markup=False, soft_wrap=True)


def status_table(told: Standing) -> None:
    """Show every program."""
    if not told.programs:
        out.print("Quartet is not running.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "state"):
        table.add_column(heading, no_wrap=True)
    for heading in ("pid", "uptime", "restarts", "port", "memory"):
        table.add_column(heading, justify="right")
    for line in told.programs:
        table.add_row(*_cells(line))
    total = sum(line.memory_bytes or 0 for line in told.programs)
    table.add_row("", "", "", "", "", "", f"{total / MEBIBYTE:.0f} MB")
    out.print(table)
    out.print(f"PostgreSQL's data is in {told.data}", style="dim", soft_wrap=True)


def duration(seconds: float | None) -> str:
    """Write how long something has lasted; nothing where that is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def rows_table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Show what services answered, one row each; where there is none, nothing."""
    if not rows:
        return
    table = Table(box=None, pad_edge=False)
    for column in columns:
        whole = column in ("id", "lane", "letter_id") or column.endswith("_at")  # to be copied, or read at a glance
        table.add_column(column.removesuffix("_id").replace("_", " "), overflow="fold", no_wrap=whole)
    for row in rows:
        table.add_row(*(Text(_value(column, row[column])) for column in columns))
    out.print(table)


def where_to_look(home: Home, started: bool, observed: bool) -> None:
    """Say what can be seen now, and what to type next."""
    out.print("[green]Quartet is up.[/]" if started else "[green]Quartet is up already.[/]")
    _place("dashboard", f"http://{HOST}:{ports.DASHBOARD}", "watch it, find an order, see what is stuck")
    for service, port in SERVICES.items():
        _place(service, f"http://{HOST}:{port}/asyncapi", "and /openapi.json")
    _place("provider", f"http://{HOST}:{ports.PROVIDER}/v1/ledger", "the payment provider's own books")
    _place("mail", f"http://{HOST}:{ports.MAIL_HTTP}", "what customers were sent")
    _place("rabbitmq", f"http://{HOST}:{ports.RABBITMQ_MANAGEMENT}", "user topology, QUARTET_TOPOLOGY_BROKER_PASSWORD")
    _place("postgres", f"psql postgresql://postgres@{HOST}:{ports.POSTGRES}/quartet", "QUARTET_POSTGRES_PASSWORD")
    if observed:
        _place("grafana", f"http://{HOST}:{ports.GRAFANA}", "how everything goes, at a glance")
        _place("prometheus", f"http://{HOST}:{ports.PROMETHEUS}/alerts", "what is wrong")
        _place("jaeger", f"http://{HOST}:{ports.JAEGER}", "each order as one trace: quartet.order_id=…")
    _place("passwords", str(home.secrets), "and the operator's key, for the header X-Operator-Key")
    for customer, key in Credentials.read(home.secrets).customers.items():
        _place(customer, f"Authorization: Bearer {key}", "a customer, in development")
    out.print("Type [bold]make demo[/] to watch it work, [bold]make status[/] or [bold]make logs[/] to look inside.")


def _place(name: str, where: str, what: str) -> None:
    out.print(f"  {name:13} {where}  [dim]{what}[/]", soft_wrap=True)


def _cells(line: Line) -> tuple[str | Text, ...]:
    style = "red" if not line.ready else "green"
    memory = f"{line.memory_bytes / MEBIBYTE:.0f} MB" if line.memory_bytes else ""
    return (
        line.name,
        Text(line.state, style),
        str(line.pid or ""),
        duration(line.uptime_s),
        str(line.restarts or ""),
        " ".join(map(str, line.ports)),
        memory,
    )


def plain(text: str) -> str:
    """Write a text of strangers so that it does nothing to a terminal but be shown."""
    return CONTROLS.sub("�", text)


def _value(column: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return ""
    return str(value)[MONTH_TO_SECOND].replace("T", " ") if column.endswith("_at") else plain(str(value))
