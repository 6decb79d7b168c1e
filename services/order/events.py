"""What only order knows of: requests, its deadline, and the closing of its books."""

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime

from shared.event import Event, PersonalData, Secret
from shared.outcome import Intent
from shared.vocabulary.money import Money
from shared.vocabulary.order import OrderLine


class StockBook(StrEnum):
    """What inventory did in the end."""

    OPEN = "open"
    COMMITTED = "committed"
    RELEASED = "released"


class MoneyBook(StrEnum):
    """What payment did in the end, where it had to undo."""

    OPEN = "open"
    VOIDED = "voided"
    REFUNDED = "refunded"


class PlacementRequested(Event, name="order.placement_requested", owner="order", public=False, command=True):
    """A customer asked for goods; the prices are those of the catalogue."""

    order_id: UUID
    customer_id: str
    email: PersonalData
    lines: tuple[OrderLine, ...]
    total: Money
    payment_token: Secret
    placed_at: AwareDatetime
    deadline_s: float


class CancellationRequested(Event, name="order.cancellation_requested", owner="order", public=False, command=True):
    """A customer wants the order undone."""

    order_id: UUID


class DeadlinePassed(Event, name="order.deadline_passed", owner="order", public=False):
    """The order has waited long enough for a verdict."""

    order_id: UUID


class StockBookClosed(Event, name="order.stock_book_closed", owner="order", public=False, final=True):
    """Inventory is done with the order."""

    order_id: UUID
    closing: StockBook


class MoneyBookClosed(Event, name="order.money_book_closed", owner="order", public=False, final=True):
    """Payment is done with the cancelled order."""

    order_id: UUID
    closing: MoneyBook


class Deadline(Intent, kind="deadline", answered_by=(DeadlinePassed,), bound="order_deadline_s", timer=True):
    """End the wait for a verdict; withdrawn in the transaction that brings one."""
