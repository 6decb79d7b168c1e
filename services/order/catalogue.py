"""Prices: the order service's own catalogue, never the client's word."""

import asyncio
import time
from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from services.order.store import prices
from shared.http.problems import ProblemError
from shared.vocabulary.money import AMOUNT_MAX, Money
from shared.vocabulary.order import OrderLine


class Catalogue:
    """The catalogue, read again when it is older than `max_age_s` seconds."""

    def __init__(self, engine: AsyncEngine, max_age_s: float) -> None:
        self._engine = engine
        self._max_age_s = max_age_s
        self._prices: dict[str, Money] = {}
        self._read_at_s = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def price(self, quantities: Mapping[str, int], currency: str) -> tuple[tuple[OrderLine, ...], Money]:
        """Price the lines of an order and add them up.

        Raises:
            ProblemError: 422, a SKU that is not in the catalogue or not sold in this currency, or too large a total.
            WorldError: the database does not answer.
        """
        known = await self._fresh()
        lines, total = [], Money(amount=0, currency=currency)
        for sku, quantity in quantities.items():
            price = known.get(sku)
            if price is None or price.currency != currency:
                raise ProblemError(422, f"There is no {sku} to be had for {currency}.", sku=sku)
            amount = total.amount + price.amount * quantity
            if amount > AMOUNT_MAX:
                raise ProblemError(422, f"An order may come to {AMOUNT_MAX} minor units at the most.")
            total = Money(amount=amount, currency=currency)
            lines.append(OrderLine(sku=sku, quantity=quantity, unit_price=price.amount))
        return tuple(lines), total

    async def _fresh(self) -> Mapping[str, Money]:
        """Give the prices. Whoever comes while they are read waits for that reading, and not for one after another."""
        if time.monotonic() - self._read_at_s > self._max_age_s:
            if self._reading is None:
                self._reading = asyncio.create_task(self._read())
            await asyncio.shield(self._reading)  # others wait for it too
        return self._prices

    async def _read(self) -> None:
        try:
            self._prices = await prices(self._engine)
            self._read_at_s = time.monotonic()
        finally:
            self._reading = None
