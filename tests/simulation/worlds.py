"""The worlds that are explored: who orders what, what there is of it, and how much may go wrong."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from asyncpg.pgproto import pgproto

from services.inventory.state import Level
from services.inventory.store import Shelf
from services.order.events import CancellationRequested, PlacementRequested
from services.payment.events import ChargeResult
from shared.ids import derived_id
from shared.vocabulary.money import Money
from shared.vocabulary.order import OrderLine
from tests.simulation.choices import BUDGETS
from tests.simulation.tables import Tables
from tests.simulation.world import Budgets, Command, World, beginning

PRICE = 1_000
PLACED_AT = datetime(2026, 1, 1, tzinfo=UTC)
DEADLINE_S = 60.0
DEATHS_MAX = 8
"""More than an event is allowed before it is set aside."""
MORE_SHARE = 0.4
"""So often there is one order more. What breaks, breaks with few orders as a rule, and one order is played ten times
while four are played once; what takes several orders, a customer who gets the last violin, comes up with two."""
MISFORTUNE_SHARE = 0.4
"""So many of the kinds of misfortune come to a world. Where all of them come to each, each is drowned by the others: no
event ever failed so often that it became a dead letter.

Source: A. Groce et al., Swarm Testing, 2012.
"""
MISFORTUNES_MAX = 5
"""Of one kind: enough for an event to become a dead letter although its process dies now and then."""
WANTED_MAX = 3
"""Of one SKU in one order."""
CANCEL_SHARE = 0.4
"""So many customers change their mind."""


def order_id(number: int) -> UUID:
    """Name the order of a number; its id tells which it is."""
    made: UUID = pgproto.UUID(f"01900000-0000-7000-8000-{number:012d}")
    return made


def _customer_of(number: int) -> str:
    """Name the customer of an order after it: each has one of their own, who wants no other."""
    return str(order_id(number))


def place(number: int, quantities: Mapping[str, int], after: str = "") -> Command:
    """Have an order placed."""
    lines = tuple(OrderLine(sku=sku, quantity=many, unit_price=PRICE) for sku, many in quantities.items())
    request = PlacementRequested(
        order_id=order_id(number),
        customer_id=_customer_of(number),
        email="ann@example.org",
        lines=lines,
        total=Money(amount=PRICE * sum(quantities.values()), currency="EUR"),
        payment_token="tok_approved",
        placed_at=PLACED_AT,
        deadline_s=DEADLINE_S,
    )
    command_id = derived_id(request.order_id, "place", str(sorted(quantities.items())))
    return Command(f"place {number}", "order", request, command_id, request.order_id, _customer_of(number), after)


def cancel(number: int) -> Command:
    """Have a customer cancel an order, once it is placed."""
    event = CancellationRequested(order_id=order_id(number))
    command_id = derived_id(event.order_id, "cancel")
    customer_id = _customer_of(number)
    return Command(f"cancel {number}", "order", event, command_id, event.order_id, customer_id, f"place {number}")


def shelves(stock: Mapping[str, int]) -> dict[str, Tables]:
    """Put goods on the shelves."""
    states = {sku: (Shelf(Level(many, many), 1), 1) for sku, many in stock.items()}
    return {"inventory": Tables(states=states)}


@dataclass(frozen=True, slots=True)
class Setting:
    """A world that is explored: what it is called, what it is about, and how it begins."""

    name: str
    about: str
    commands: tuple[Command, ...]
    stock: Mapping[str, int]
    budgets: Budgets
    more: Mapping[str, Any]

    def world(self, **budgets: int) -> World:
        """Give its beginning; `budgets` are put in place of its own."""
        return beginning(self.commands, shelves(self.stock), {**self.budgets, **budgets}, **self.more)


ONE = Setting("one", "one order", (place(1, {"violin": 1}),), {"violin": 1}, {"duplicate": 1, "crash": 1}, {})
TWO = Setting(
    "two", "two orders over one unit of stock", (place(1, {"violin": 1}), place(2, {"violin": 1}, after="place 1")),
    {"violin": 1}, {}, {},
)  # fmt: skip
"""The two differ by their names alone, so the first that is placed may as well be the first."""
CANCEL = Setting(
    "cancel", "an order with a customer's cancellation and a deadline", (place(1, {"violin": 1}), cancel(1)),
    {"violin": 1}, {"early deadline": 1, "silence": 1, "crash": 1}, {},
)  # fmt: skip
GOOD = Setting(
    "good", "one order of two lines, for just what there is, by a customer who can pay",
    (place(1, {"violin": 2, "bow": 1}),), {"violin": 2, "bow": 1}, {}, {"decisions": (ChargeResult.CAPTURED,)},
)  # fmt: skip
"""Where nothing goes wrong there is one right end."""
LATE = Setting(
    "late", "one order, and a lane that is declared late", (place(1, {"violin": 1}),), {"violin": 1}, {},
    {"gone": frozenset({"payment.stock.reserved"})},
)  # fmt: skip
DEADLY = Setting(
    "deadly", "one order, and an event that ends every process which reacts to it", (place(1, {"violin": 1}),),
    {"violin": 1}, {"deadly": DEATHS_MAX}, {"deadly": "payment.stock.reserved"},
)  # fmt: skip
SETTINGS = {setting.name: setting for setting in (ONE, TWO, CANCEL, GOOD, LATE, DEADLY)}


def drawn(chance: random.Random, orders_max: int = 4) -> Setting:
    """Draw a world: some orders, of which some are cancelled, over goods that may not do for all of them."""
    orders = 1
    while orders < orders_max and chance.random() < MORE_SHARE:
        orders += 1
    skus = ("violin", "bow")[: chance.randint(1, 2)]
    commands: list[Command] = []
    for number in range(1, orders + 1):
        wanted = chance.sample(skus, chance.randint(1, len(skus)))
        commands.append(place(number, {sku: chance.randint(1, WANTED_MAX) for sku in skus if sku in wanted}))
        if chance.random() < CANCEL_SHARE:
            commands.append(cancel(number))
    budgets = {
        name: chance.randint(1, MISFORTUNES_MAX) if chance.random() < MISFORTUNE_SHARE else 0 for name in BUDGETS
    }
    return Setting(
        "drawn", "orders over goods that may not do for all", tuple(commands),
        {sku: chance.randint(1, WANTED_MAX * orders) for sku in skus}, budgets, {},
    )  # fmt: skip
