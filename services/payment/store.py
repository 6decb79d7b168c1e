"""Payment's one table, and the way between its rows and the states."""

from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, Table, Text, Uuid

from services.payment.events import UndoResult
from services.payment.state import (
    AwaitingOrder,
    AwaitingStock,
    Captured,
    Charging,
    Closed,
    Declined,
    Payment,
    Undoing,
)
from shared.store.aggregates import Aggregates, OneAggregate, Row
from shared.vocabulary.money import Money
from shared.vocabulary.payment import DeclineReason

payments = Table(
    "payments",
    MetaData(),
    Column("order_id", Uuid, primary_key=True),
    Column("version", BigInteger),
    Column("status", Text),
    Column("amount", BigInteger),
    Column("currency", Text),
    Column("token", Text),
    Column("charge_id", Text),
    Column("decline_reason", Text),
    Column("undo_id", Text),
)


def to_row(payment: Payment) -> dict[str, Any]:
    """Write a state as a row; what a state does not know is null."""
    money = getattr(payment, "money", None)
    row: dict[str, Any] = {
        "amount": money and money.amount,
        "currency": money and money.currency,
        "token": None,
        "charge_id": None,
        "decline_reason": None,
        "undo_id": None,
    }
    match payment:
        case AwaitingStock(token=token):
            return {**row, "status": "awaiting_stock", "token": token}
        case AwaitingOrder():
            return {**row, "status": "awaiting_order"}
        case Charging():
            return {**row, "status": "charging"}
        case Captured(charge_id=charge_id):
            return {**row, "status": "captured", "charge_id": charge_id}
        case Declined(reason=reason):
            return {**row, "status": "declined", "decline_reason": reason}
        case Undoing():
            return {**row, "status": "undoing"}
        case Closed(result=result, undo_id=undo_id):
            return {**row, "status": result, "undo_id": undo_id}


def from_row(row: Row) -> Payment:
    """Read a row as a state."""
    order_id = row["order_id"]
    money = None if row["amount"] is None else Money(amount=row["amount"], currency=row["currency"])
    match row["status"], money:
        case "awaiting_order", None:
            return AwaitingOrder(order_id)
        case ("voided" | "refunded") as result, _:
            return Closed(order_id, UndoResult(result), money, row["undo_id"])
        case "awaiting_stock", Money():
            return AwaitingStock(order_id, money, row["token"])
        case "charging", Money():
            return Charging(order_id, money)
        case "captured", Money():
            return Captured(order_id, money, row["charge_id"])
        case "declined", Money():
            return Declined(order_id, money, DeclineReason(row["decline_reason"]))
        case "undoing", Money():
            return Undoing(order_id, money)
    raise AssertionError(f"the schema lets no such row be: {row['status']}")


states = OneAggregate(Aggregates(payments, "order_id", to_row, from_row))
