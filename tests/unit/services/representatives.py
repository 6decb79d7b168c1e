"""One of each: every state of every service, and every event that it reacts to in every shade that matters."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from services.inventory.reactions import reactions as inventory
from services.notification.events import Mail
from services.notification.reactions import reactions as notification
from services.notification.state import Correspondence, Progress
from services.order.events import MoneyBook, StockBook
from services.order.reactions import reactions as order
from services.order.state import Order
from services.payment.events import ChargeResult, UndoResult
from services.payment.reactions import reactions as payment
from shared.event import Event
from shared.outcome import Advanced, Ignored, ImpossibleError
from shared.reactions import Reactions
from tests.unit.services import builders as b


@dataclass(frozen=True, slots=True)
class Service:
    """A reaction table with the states and the events that it is held against, by short names."""

    table: Reactions
    states: Mapping[str, Any]
    events: Mapping[str, Event]

    def __str__(self) -> str:
        return self.table.service

    def outcomes(self) -> Iterator[tuple[str, str, Advanced[Any] | Ignored | None]]:
        """React to every event in every state; None stands for impossible."""
        for (name, event), (column, state) in product(self.events.items(), self.states.items()):
            try:
                yield name, column, self.table.react(event, state)
            except ImpossibleError:
                yield name, column, None


def _orders() -> dict[str, Order]:
    books = {
        "": (StockBook.OPEN, MoneyBook.OPEN),
        "+s": (StockBook.RELEASED, MoneyBook.OPEN),
        "+v": (StockBook.OPEN, MoneyBook.VOIDED),
        "+f": (StockBook.OPEN, MoneyBook.REFUNDED),
        "+sv": (StockBook.RELEASED, MoneyBook.VOIDED),
        "+sf": (StockBook.RELEASED, MoneyBook.REFUNDED),
    }
    return {f"dead{name}": b.dead(*closed) for name, closed in books.items()}


def _told() -> dict[str, Correspondence]:
    """Name each by how far its two mails are: "r-" is confirmed recorded, cancelled not."""
    letters = {Progress.NONE: "-", Progress.RECORDED: "r", Progress.SENT: "s", Progress.UNDELIVERABLE: "u"}
    return {letters[c] + letters[x]: b.told(c, x) for c, x in product(letters, letters) if {c, x} != {Progress.NONE}}


def _named(*events: Event) -> dict[str, Event]:
    return {event.kind.name: event for event in events}


ORDER = Service(
    order,
    {"none": None, "pending": b.PENDING, "stands": b.STANDING, "sold": b.SOLD, **_orders()},
    _named(
        b.PLACEMENT,
        b.STOCK_REJECTED,
        b.PAYMENT_DECLINED,
        b.PAYMENT_CAPTURED,
        b.DEADLINE_PASSED,
        b.CANCELLATION,
        b.STOCK_COMMITTED,
        b.STOCK_RELEASED,
        b.PAYMENT_VOIDED,
        b.PAYMENT_REFUNDED,
    ),
)
INVENTORY = Service(
    inventory,
    {
        "enough": b.FREE,
        "short": b.SHORT,
        "held": b.HELD,
        "sold": b.COMMITTED,
        "rejected": b.REJECTED,
        "released": b.RELEASED,
    },
    _named(b.PLACED, b.CONFIRMED, b.cancelled(), b.RECEIPT_REQUESTED),
)
PAYMENT = Service(
    payment,
    {
        "none": None,
        "no_stock": b.AWAITING_STOCK,
        "no_order": b.AWAITING_ORDER,
        "charging": b.CHARGING,
        "captured": b.CAPTURED,
        "declined": b.DECLINED,
        "undoing": b.UNDOING,
        "tomb": b.TOMBSTONE,
        "voided": b.VOIDED,
        "refunded": b.REFUNDED,
    },
    _named(b.PLACED, b.STOCK_RESERVED, b.cancelled())
    | {f"charge {each}": b.charge_answered(each) for each in ChargeResult}
    | {f"undo {each}": b.undo_answered(each) for each in UndoResult},
)
NOTIFICATION = Service(
    notification,
    {"none": None, **_told()},
    _named(b.CONFIRMED, b.cancelled())
    | {f"accepted {each}": b.accepted(each) for each in Mail}
    | {f"refused {each}": b.refused(each) for each in Mail},
)
ALL = (ORDER, INVENTORY, PAYMENT, NOTIFICATION)
TABLES = tuple(service.table for service in ALL)
