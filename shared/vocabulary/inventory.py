"""What the inventory service tells."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.event import Event
from shared.vocabulary.order import OrderCancelled, Sku


class StockLine(BaseModel):
    """So many of one SKU."""

    model_config = ConfigDict(frozen=True)

    sku: Sku
    quantity: Annotated[int, Field(ge=1)]


class RejectReason(StrEnum):
    """Why stock could not be reserved."""

    INSUFFICIENT_STOCK = "insufficient_stock"


class StockReserved(Event, name="stock.reserved", owner="inventory"):
    """Every line of the order is held for it."""

    order_id: UUID
    lines: tuple[StockLine, ...]


class StockRejected(Event, name="stock.rejected", owner="inventory"):
    """At least one line could not be held, so none is."""

    order_id: UUID
    reason: RejectReason
    missing: tuple[Sku, ...]


class StockCommitted(Event, name="stock.committed", owner="inventory"):
    """What was held is sold."""

    order_id: UUID
    lines: tuple[StockLine, ...]


class StockReleased(Event, name="stock.released", owner="inventory", closes=OrderCancelled):
    """Inventory's one answer to a cancellation: `lines` are for sale again, perhaps none."""

    order_id: UUID
    lines: tuple[StockLine, ...]
    restocked: bool
    """The lines had been sold, not only held."""
