"""What only inventory knows of: goods that arrive."""

from uuid import UUID

from shared.event import Event
from shared.vocabulary.order import Quantity, Sku


class ReceiptRequested(Event, name="stock.receipt_requested", owner="inventory", public=False, command=True):
    """Somebody brings goods."""

    receipt_id: UUID
    sku: Sku
    quantity: Quantity


class StockReceived(Event, name="stock.received", owner="inventory", public=False, final=True):
    """The goods are on the shelf."""

    receipt_id: UUID
    sku: Sku
    quantity: Quantity
