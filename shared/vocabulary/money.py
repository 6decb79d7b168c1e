"""Money: an integer number of minor units (cents) in one currency. Never a float."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

AMOUNT_MAX = 10**12
"""Minor units. Far above any order, far below what a 64-bit integer holds."""

Amount = Annotated[int, Field(ge=0, le=AMOUNT_MAX)]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217")]


class Money(BaseModel):
    """An amount in minor units of a currency."""

    model_config = ConfigDict(frozen=True)

    amount: Amount
    currency: Currency

    def __add__(self, other: "Money") -> "Money":
        """Add two amounts of one currency.

        Raises:
            ValueError: the currencies differ.
        """
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(amount=self.amount + other.amount, currency=self.currency)
