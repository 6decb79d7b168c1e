"""Order's tables, the way between their rows and the states, and what is read from them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, Column, DateTime, MetaData, Table, Text, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncEngine

from services.order.events import MoneyBook, StockBook
from services.order.state import Order, Status
from shared.store.aggregates import Aggregates, OneAggregate, Row
from shared.store.connection import by_whose_fault
from shared.vocabulary.money import Money
from shared.vocabulary.order import CancelReason, OrderLine

_metadata = MetaData()
orders = Table(
    "orders",
    _metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("customer_id", Text),
    Column("email", Text),
    Column("lines", JSONB),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("placed_at", DateTime(timezone=True)),
    Column("status", Text),
    Column("reason", Text),
    Column("stock", Text),
    Column("money", Text),
    Column("settled", Boolean),
)
catalogue = Table(
    "catalogue",
    _metadata,
    Column("sku", Text, primary_key=True),
    Column("name", Text),
    Column("unit_price", BigInteger),
    Column("currency", Text),
)


def to_row(order: Order) -> dict[str, Any]:
    """Write a state as a row."""
    return {
        "customer_id": order.customer_id,
        "email": order.email,
        "lines": [line.model_dump() for line in order.lines],
        "amount": order.total.amount,
        "currency": order.total.currency,
        "placed_at": order.placed_at,
        "status": order.status,
        "reason": order.reason,
        "stock": order.stock,
        "money": order.money,
        "settled": order.settled,
    }


def from_row(row: Row) -> Order:
    """Read a row as a state."""
    return Order(
        order_id=row["order_id"],
        customer_id=row["customer_id"],
        email=row["email"],
        lines=tuple(OrderLine.model_validate(line) for line in row["lines"]),
        total=Money(amount=row["amount"], currency=row["currency"]),
        placed_at=row["placed_at"],
        status=Status(row["status"]),
        reason=row["reason"] and CancelReason(row["reason"]),
        stock=StockBook(row["stock"]),
        money=MoneyBook(row["money"]),
    )


AS_PLACED = ("customer_id", "email", "lines", "amount", "currency", "placed_at")
states = OneAggregate(Aggregates(orders, "order_id", to_row, from_row, written_once=AS_PLACED))

_FIND = select(orders).where(orders.c.order_id == func.any(bindparam("order_ids", type_=ARRAY(Uuid))))
_FIND_SETTLED = _FIND.where(orders.c.settled)


async def find(engine: AsyncEngine, order_id: UUID) -> Order | None:
    """Read one order."""
    return (await find_all(engine, [order_id])).get(order_id)


async def find_all(engine: AsyncEngine, order_ids: Sequence[UUID], *, settled: bool = False) -> dict[UUID, Order]:
    """Read several orders in one look, or those of them that are settled."""
    with by_whose_fault():
        async with engine.connect() as connection:
            query = _FIND_SETTLED if settled else _FIND
            rows = (await connection.execute(query, {"order_ids": list(order_ids)})).mappings()
            return {row["order_id"]: from_row(row) for row in rows}


async def page(
    engine: AsyncEngine, *, status: str | None, customer_id: str | None, before: UUID | None, limit: int
) -> Sequence[Order]:
    """Read the newest orders, or those placed before one of them."""
    query = select(orders).order_by(orders.c.order_id.desc()).limit(limit)
    if status is not None:
        query = query.where(orders.c.status == status)
    if customer_id is not None:
        query = query.where(orders.c.customer_id == customer_id)
    if before is not None:
        query = query.where(orders.c.order_id < before)
    with by_whose_fault():
        async with engine.connect() as connection:
            return [from_row(row) for row in (await connection.execute(query)).mappings()]


async def prices(engine: AsyncEngine) -> dict[str, Money]:
    """Read the catalogue: what one of each SKU costs."""
    with by_whose_fault():
        async with engine.connect() as connection:
            rows = (await connection.execute(select(catalogue))).mappings()
            return {row["sku"]: Money(amount=row["unit_price"], currency=row["currency"]) for row in rows}
