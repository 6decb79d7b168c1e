"""The kinds of orders, how often each comes, and the end that each demands."""

from dataclasses import dataclass
from enum import StrEnum

PLENTY = ("rosin", "strings", "bow", "violin")
"""SKUs of which the run brings enough for all its orders."""
SCARCE = "stradivarius"
"""A SKU of which nobody gets any: each order asks for one more than there are."""


class Cancels(StrEnum):
    """When the customer cancels."""

    NEVER = "never"
    AT_ONCE = "at once"
    WHEN_SETTLED = "when settled"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of order. Among all kinds it comes `share` times as often as one with 1."""

    name: str
    share: int
    tokens: tuple[str, ...]
    status: str
    reason: str | None
    scarce: bool = False
    cancels: Cancels = Cancels.NEVER


KINDS = (
    Kind("confirmed", 70, ("tok_approved",), "confirmed", None),
    Kind("declined", 10, ("tok_declined", "tok_insufficient_funds"), "cancelled", "payment_declined"),
    Kind("out of stock", 10, ("tok_approved",), "cancelled", "out_of_stock", scarce=True),
    Kind("cancelled at once", 5, ("tok_approved",), "cancelled", "customer_request", cancels=Cancels.AT_ONCE),
    Kind(
        "confirmed, then cancelled", 5, ("tok_approved",), "cancelled", "customer_request", cancels=Cancels.WHEN_SETTLED
    ),
)  # fmt: skip - one kind, one line
