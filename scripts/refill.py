"""`quartet refill`: have a lane's owner publish again what the lane has lost."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from infra.failure import StackError
from infra.topology import TABLES
from scripts.operations import Document, Operations, asking
from scripts.sentences import sentences
from scripts.stack_screen import out
from shared.topology import lanes_of

UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}

app = typer.Typer(add_completion=False)


@app.command()
def refill(
    context: typer.Context,
    lane: Annotated[str, typer.Argument(help="Such as payment.stock.reserved.")],
    since: Annotated[str, typer.Option(help="30m, 2h or 1d ago, or an ISO time.")],
) -> None:
    """Publish again what a lane has lost; every inbox drops what it knows."""
    with sentences():
        owner, begins = owner_of(lane), since_when(since, datetime.now(UTC))
        with asking(context) as operations:
            refilled = publish_again(operations, lane, begins)
        out.print(f"{refilled} events of {owner}'s log since {begins:%Y-%m-%d %H:%M:%S %Z} are published again")


def publish_again(operations: Operations, lane: str, since: datetime) -> int:
    """Have a lane's owner publish again what it has logged since then; say how many events that were.

    Raises:
        StackError: there is no such lane, or its owner is out of reach or refuses.
    """
    owner, after = owner_of(lane), None
    refilled = 0
    while True:
        body: Document = {"lane": lane, "since": since.isoformat(), "after": after}
        answer = operations.post(owner, "/refill", body) or {"refilled": 0, "next": None}
        refilled += int(answer["refilled"])
        if (after := answer["next"]) is None:
            return refilled


def owner_of(lane: str) -> str:
    """Give the service that publishes to a lane.

    Raises:
        StackError: there is no such lane.
    """
    owners = {each.queue: each.event.kind.owner for table in TABLES for each in lanes_of(table)}
    if lane not in owners:
        raise StackError(f"there is no lane {lane}; there are {', '.join(sorted(owners))}")
    return owners[lane]


def since_when(since: str, now: datetime) -> datetime:
    """Read how long ago, or when; a time without a zone is this machine's.

    Raises:
        StackError: it says neither.
    """
    try:
        if ago := re.fullmatch(r"(\d{1,6})([smhd])", since):
            return now - timedelta(seconds=int(ago[1]) * UNITS_S[ago[2]])
        return datetime.fromisoformat(since).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise StackError(f"{since} is neither a time nor 30s, 30m, 2h or 1d") from error
