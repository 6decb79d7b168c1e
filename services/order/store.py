"""Order's tables, the way between their rows and the states, and what is read from them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncEngine

from services.order.events import MoneyBook, StockBook
from services.order.state import Order, Status
from shared.store.aggregates import Aggregates, OneAggregate, Row
from shared.store.connection import by_whose_fault
from shared.store.driver import Statement, driving
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
api_keys = Table(
    "api_keys",
    _metadata,
    Column("key_hash", LargeBinary, primary_key=True),
    Column("customer_id", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("revoked_at", DateTime(timezone=True)),
)
KEYS_MAX = 200
"""So many keys of a customer are listed, those that open something first."""


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

FIND_KEY = Statement(
    text("SELECT customer_id FROM api_keys WHERE key_hash = CAST(:key_hash AS bytea) AND revoked_at IS NULL")
)
LIST_KEYS = Statement(
    text("""
    SELECT key_hash, created_at, revoked_at FROM api_keys WHERE customer_id = CAST(:customer_id AS text)
    ORDER BY revoked_at DESC NULLS FIRST, created_at DESC LIMIT CAST(:limit AS integer)
""")
)
# Each is one statement, so that what an operator did and the record of it are one transaction.
ISSUE_KEY = Statement(
    text("""
    WITH issued AS (
        INSERT INTO api_keys (key_hash, customer_id) VALUES (CAST(:key_hash AS bytea), CAST(:customer_id AS text))
        RETURNING customer_id, key_hash)
    INSERT INTO operator_actions (who, action, about, details)
    SELECT 'operator', 'key issued', customer_id, jsonb_build_object('key_id', encode(key_hash, 'hex')) FROM issued
""")
)
REVOKE_KEY = Statement(
    text("""
    WITH revoked AS (
        UPDATE api_keys SET revoked_at = now()
        WHERE key_hash = CAST(:key_hash AS bytea) AND customer_id = CAST(:customer_id AS text) AND revoked_at IS NULL
        RETURNING customer_id, key_hash)
    INSERT INTO operator_actions (who, action, about, details)
    SELECT 'operator', 'key revoked', customer_id, jsonb_build_object('key_id', encode(key_hash, 'hex')) FROM revoked
""")
)

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
    engine: AsyncEngine,
    *,
    owner: str | None,
    status: str | None,
    customer_id: str | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Order]:
    """Read the newest orders, or those placed before one of them; those of one `owner` where there is one."""
    query = select(orders).order_by(orders.c.order_id.desc()).limit(limit)
    if owner is not None:
        query = query.where(orders.c.customer_id == owner)
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


async def customer_of(engine: AsyncEngine, key_hash: bytes) -> str | None:
    """Find whose key has this hash; None where it is nobody's, or was revoked."""
    with by_whose_fault():
        async with driving(engine) as driver:
            rows = await FIND_KEY.rows(driver, key_hash=key_hash)
    return rows[0]["customer_id"] if rows else None


async def keys_of(engine: AsyncEngine, customer_id: str) -> Sequence[Row]:
    """List the keys of a customer: hash, and when each was issued and revoked."""
    with by_whose_fault():
        async with driving(engine) as driver:
            return await LIST_KEYS.rows(driver, customer_id=customer_id, limit=KEYS_MAX)


async def issue_key(engine: AsyncEngine, key_hash: bytes, customer_id: str) -> None:
    """Keep a new key of a customer, and record that it was issued."""
    with by_whose_fault():
        async with driving(engine) as driver:
            await ISSUE_KEY.run(driver, key_hash=key_hash, customer_id=customer_id)


async def revoke_key(engine: AsyncEngine, key_hash: bytes, customer_id: str) -> bool:
    """Revoke a key of a customer and record it; False where there is none such that opens anything."""
    with by_whose_fault():
        async with driving(engine) as driver:
            return bool(await REVOKE_KEY.run(driver, key_hash=key_hash, customer_id=customer_id))
