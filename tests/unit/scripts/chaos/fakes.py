"""A world in memory: a shop that takes every order at once, and servers where nothing is ever under way."""

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

from infra.credentials import Credentials
from infra.home import Home
from scripts.chaos.auditing import ORDERS_OF
from scripts.chaos.experiment import Experiment
from scripts.chaos.load import Load
from scripts.chaos.schedule import arrivals
from scripts.chaos.world import World

RATE, ORDERS_MAX = 2_000.0, 1_000


@dataclass
class FakeShop:
    """Takes orders, unless `answer` raises; remembers what it was asked."""

    answer: Callable[[], None] = lambda: None
    keys: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    received: list[str] = field(default_factory=list)
    available: int = 1_000

    async def place(self, _: dict[str, int], token: str, customer_id: str, key: str) -> dict[str, Any]:
        """Take an order."""
        self.keys.append(key)
        self.answer()
        return {"order_id": str(uuid4()), "customer_id": customer_id}

    async def cancel(self, order: dict[str, Any], key: str) -> dict[str, Any]:
        """Cancel one."""
        self.cancelled.append(order["order_id"])
        return {}

    async def stock(self, sku: str) -> dict[str, Any]:
        """Tell the same of every SKU."""
        return {"available": self.available}

    async def receive(self, sku: str, quantity: int) -> None:
        """Take goods in."""
        self.received.append(sku)


@dataclass
class FakeDatabase:
    """Where so many dead letters lie, and the orders that a test puts there; all that were placed, if it puts none."""

    kept: int = 0
    there: list[str] | None = None
    own: list[str] = field(default_factory=list)

    async def rows(self, query: str, argument: object) -> list[tuple[str]]:
        """Give orders by their ids, or a customer's own."""
        if query == ORDERS_OF:
            return [(order_id,) for order_id in self.own]
        asked = cast("list[str]", argument)
        return [(order_id,) for order_id in (asked if self.there is None else self.there)]

    async def letters(self) -> int:
        """Count the dead letters."""
        return self.kept


@dataclass
class FakeAuditor:
    """Finds what it is told to find."""

    violations: list[str] = field(default_factory=list)
    asked_s: list[float | None] = field(default_factory=list)
    """How far back it was asked to look each time."""

    async def run(self, since_s: float | None = None) -> list[str]:
        """Name it."""
        self.asked_s.append(since_s)
        return self.violations


@dataclass(slots=True)
class FakeWorld(World):
    """A world that says what a test wants it to say."""

    not_ready: str = ""
    unfinished: str = ""

    async def missing(self) -> str:
        """Say what is not ready."""
        return self.not_ready

    async def under_way(self) -> str:
        """Say what is not done."""
        return self.unfinished


def world(shop: FakeShop | None = None, database: FakeDatabase | None = None) -> FakeWorld:
    """Make one; its programs and its broker are not there."""
    chosen = cast("Any", shop or FakeShop())
    nothing = cast("Any", None)
    return FakeWorld(
        home=Home(Path("/nowhere")),
        credentials=Credentials({"QUARTET_OPERATOR_KEY": "key"}),
        runner=nothing,
        hosts=nothing,
        database=cast("Any", database or FakeDatabase()),
        broker=nothing,
        shop=chosen,
        load=Load(chosen, arrivals(RATE, ORDERS_MAX, "a seed")),
        chance=random.Random(1),
    )


def experiment(fault: Callable[[World], Awaitable[int]], **others: Any) -> Experiment:
    """Make an experiment of a fault."""
    return Experiment("a-name", "It is believed.", fault, **others)
