"""Notification's one table, and the way between its rows and the states."""

from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, Uuid

from services.notification.state import Correspondence, Progress
from shared.store.aggregates import Aggregates, OneAggregate, Row

correspondence = Table(
    "correspondence",
    MetaData(),
    Column("order_id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("email", Text),
    Column("confirmed", Text),
    Column("cancelled", Text),
    Column("reason", Text),
)


def to_row(told: Correspondence) -> dict[str, Any]:
    """Write a state as a row."""
    return {
        "email": told.email,
        "confirmed": told.confirmed,
        "cancelled": told.cancelled,
        "reason": told.reason,
    }


def from_row(row: Row) -> Correspondence:
    """Read a row as a state."""
    return Correspondence(
        row["order_id"], row["email"], Progress(row["confirmed"]), Progress(row["cancelled"]), row["reason"]
    )


states = OneAggregate(Aggregates(correspondence, "order_id", to_row, from_row))
