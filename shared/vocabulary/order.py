"""What the order service tells: it alone judges whether an order lives."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.event import Event, PersonalData, Secret
from shared.vocabulary.money import Amount, Money

QUANTITY_MAX = 1_000
LINES_MAX = 50

Sku = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Quantity = Annotated[int, Field(ge=1, le=QUANTITY_MAX, strict=True)]


class OrderLine(BaseModel):
    """So many of one SKU, at a price in minor units each."""

    model_config = ConfigDict(frozen=True)

    sku: Sku
    quantity: Quantity
    unit_price: Amount


class CancelReason(StrEnum):
    """Why an order was cancelled."""

    OUT_OF_STOCK = "out_of_stock"
    PAYMENT_DECLINED = "payment_declined"
    CUSTOMER_REQUEST = "customer_request"
    DEADLINE_PASSED = "deadline_passed"


class OrderPlaced(Event, name="order.placed", owner="order"):
    """A customer asked for goods. The only event that carries the payment token."""

    order_id: UUID
    customer_id: str
    lines: tuple[OrderLine, ...]
    total: Money
    payment_token: Secret


class OrderConfirmed(Event, name="order.confirmed", owner="order"):
    """Stock is held and money is captured: the order stands."""

    order_id: UUID
    email: PersonalData


class OrderCancelled(Event, name="order.cancelled", owner="order"):
    """The one trigger of compensation."""

    order_id: UUID
    reason: CancelReason
    email: PersonalData
