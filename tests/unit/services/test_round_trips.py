"""What is stored is what is read: states as rows, intents as JSON."""

from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import DateTime, Table, Uuid

from services.inventory.state import Level, Reservation
from services.inventory.store import Shelf, _shelf_from_row, _shelf_to_row, level_of, reservations, stock
from services.inventory.store import from_row as reservation_from_row
from services.inventory.store import to_row as reservation_to_row
from services.notification.state import Correspondence
from services.notification.store import correspondence
from services.notification.store import from_row as told_from_row
from services.notification.store import to_row as told_to_row
from services.order.state import Order
from services.order.store import from_row as order_from_row
from services.order.store import orders
from services.order.store import to_row as order_to_row
from services.payment.state import Payment
from services.payment.store import from_row as payment_from_row
from services.payment.store import payments
from services.payment.store import to_row as payment_to_row
from shared.outcome import Intent
from shared.store.connection import rows_json
from tests.unit.services.representatives import TABLES
from tests.unit.shared.generated import FEW, SOME, instances

INTENTS = [intent for table in TABLES for row in table for intent in row.intends]


def stored(table: Table, key: str, value: object, row: dict[str, Any]) -> dict[str, Any]:
    """Send a row through the JSON that the set-based statements take, and give it the types of its columns again."""
    assert {*row, key, "version"} == {column.name for column in table.columns}
    plain = orjson.loads(rows_json([{**row, key: value, "version": 1}]))[0]
    for column in table.columns:
        if isinstance(column.type, Uuid):
            plain[column.name] = UUID(plain[column.name])
        elif isinstance(column.type, DateTime):
            plain[column.name] = datetime.fromisoformat(plain[column.name])
    return dict(plain)


@SOME
@given(instances(Order))
def test_order(order: Order) -> None:
    """An order."""
    row = stored(orders, "order_id", order.order_id, order_to_row(order))
    assert order_from_row(row) == order
    assert row["settled"] is order.settled


@pytest.mark.parametrize("kind", get_args(Reservation), ids=lambda kind: kind.__name__)
@FEW
@given(data=st.data())
def test_reservation(kind: type[Any], data: st.DataObject) -> None:
    """A reservation, of each class."""
    reservation = data.draw(instances(kind))
    row = stored(reservations, "order_id", reservation.order_id, reservation_to_row(reservation))
    assert reservation_from_row(row) == reservation


@SOME
@given(instances(Level), st.integers(0, 10**9))
def test_shelf(level: Level, receipts: int) -> None:
    """A stock level, with the number of receipts that its stream has logged."""
    row = stored(stock, "sku", "mug", _shelf_to_row(Shelf(level, receipts)))
    shelf = _shelf_from_row(row)
    assert (shelf.level, shelf.receipts, level_of(row)) == (level, receipts, level)


@pytest.mark.parametrize("kind", get_args(Payment), ids=lambda kind: kind.__name__)
@FEW
@given(data=st.data())
def test_payment(kind: type[Any], data: st.DataObject) -> None:
    """A payment, of each class."""
    payment = data.draw(instances(kind))
    row = stored(payments, "order_id", payment.order_id, payment_to_row(payment))
    assert payment_from_row(row) == payment


@SOME
@given(instances(Correspondence))
def test_correspondence(told: Correspondence) -> None:
    """What a customer was told."""
    assert told_from_row(stored(correspondence, "order_id", told.order_id, told_to_row(told))) == told


@pytest.mark.parametrize("kind", INTENTS, ids=lambda kind: kind.kind)
@FEW
@given(data=st.data())
def test_intent(kind: type[Intent], data: st.DataObject) -> None:
    """An intent."""
    intent = data.draw(instances(kind))
    assert kind.model_validate_json(intent.model_dump_json()) == intent
