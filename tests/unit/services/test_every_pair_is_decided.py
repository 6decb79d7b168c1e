"""Every event in every state of every service: A advances, I is ignored with a reason, X is impossible.

A new state or a new event makes a test fail here until somebody has decided what it means.
"""

from itertools import product
from typing import get_args

import pytest

from services.inventory.state import Reservation
from services.inventory.store import to_row as reservation_to_row
from services.notification.state import Progress
from services.notification.store import to_row as told_to_row
from services.order.events import MoneyBook, StockBook
from services.order.state import Status
from services.order.store import to_row as order_to_row
from services.payment.state import Payment
from services.payment.store import to_row as payment_to_row
from shared.outcome import Advanced, Ignored
from tests.unit.services.builders import ORDER as ORDER_ID
from tests.unit.services.builders import an_order, told
from tests.unit.services.representatives import ALL, INVENTORY, NOTIFICATION, ORDER, PAYMENT, Service
from tests.unit.services.schema import Schema

# A cancelled order's books: +s the stock is released, +v the payment is voided, +f it is refunded.
ORDER_GRID = """
                             none pending stands sold dead dead+s dead+v dead+f dead+sv dead+sf
order.placement_requested    A    I       I      I    I    I      I      I      I       I
stock.rejected               X    A       X      X    I    I      I      I      I       I
payment.declined             X    A       X      X    I    I      I      I      I       I
payment.captured             X    A       I      I    I    I      I      I      I       I
order.deadline_passed        X    A       I      I    I    I      I      I      I       I
order.cancellation_requested I    A       A      A    I    I      I      I      I       I
stock.committed              X    X       A      I    I    I      I      I      I       I
stock.released               X    X       X      X    A    I      A      A      I       I
payment.voided               X    X       X      X    A    A      I      I      I       I
payment.refunded             X    X       X      X    A    A      I      I      I       I
"""

# No reservation yet, with enough on the shelves or too little.
INVENTORY_GRID = """
                        enough short held sold rejected released
order.placed            A      A     I    I    I        I
order.confirmed         X      X     A    I    X        I
order.cancelled         A      A     A    A    A        I
stock.receipt_requested A      A     A    A    A        A
"""

# no_stock and no_order wait for what they have not; tomb was cancelled before any charge.
PAYMENT_GRID = """
                          none no_stock no_order charging captured declined undoing tomb voided refunded
order.placed              A    I        A        I        I        I        I       I    I      I
stock.reserved            A    A        I        I        I        I        I       I    I      I
order.cancelled           A    A        A        A        A        A        I       I    I      I
charge captured           X    X        X        A        I        I        I       I    I      I
charge declined           X    X        X        A        I        I        I       I    I      I
charge card_declined      X    X        X        A        I        I        I       I    I      I
charge insufficient_funds X    X        X        A        I        I        I       I    I      I
charge unknown_token      X    X        X        A        I        I        I       I    I      I
charge invalid_charge     X    X        X        A        I        I        I       I    I      I
charge key_closed         X    X        X        A        I        I        I       I    I      I
charge silent             X    X        X        A        I        I        I       I    I      I
undo voided               X    X        X        X        X        X        A       I    I      I
undo refunded             X    X        X        X        X        X        A       I    I      I
"""

# How far the mail "confirmed" is, then the mail "cancelled": - nothing, r recorded, s sent, u undeliverable.
NOTIFICATION_GRID = """
                   none -r -s -u r- rr rs ru s- sr ss su u- ur us uu
order.confirmed    A    I  I  I  I  I  I  I  I  I  I  I  I  I  I  I
order.cancelled    A    I  I  I  A  I  I  I  A  I  I  I  A  I  I  I
accepted confirmed X    X  X  X  A  A  A  A  I  I  I  I  I  I  I  I
accepted cancelled X    A  I  I  X  A  I  I  X  A  I  I  X  A  I  I
refused confirmed  X    X  X  X  A  A  A  A  I  I  I  I  I  I  I  I
refused cancelled  X    A  I  I  X  A  I  I  X  A  I  I  X  A  I  I
"""


def grid(service: Service) -> str:
    """Draw what the service's reactions decide."""
    decided: dict[tuple[str, str], str] = {}
    for event, state, outcome in service.outcomes():
        assert isinstance(outcome, Advanced | Ignored) or outcome is None, f"{event} when {state}: {outcome!r}"
        decided[event, state] = "X" if outcome is None else "A" if isinstance(outcome, Advanced) else "I"
    width = max(map(len, service.events))
    rows = [" ".join(["".ljust(width), *service.states])]
    rows += [
        " ".join([event.ljust(width), *(decided[event, state].ljust(len(state)) for state in service.states)])
        for event in service.events
    ]
    return "\n" + "\n".join(row.rstrip() for row in rows) + "\n"


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (ORDER, ORDER_GRID),
        (INVENTORY, INVENTORY_GRID),
        (PAYMENT, PAYMENT_GRID),
        (NOTIFICATION, NOTIFICATION_GRID),
    ],
    ids=["order", "inventory", "payment", "notification"],
)
def test_grid(service: Service, expected: str) -> None:
    """Every pair is decided, and as the grid says; nothing but an outcome or `ImpossibleError` ever comes back."""
    assert grid(service) == expected


@pytest.mark.parametrize("service", ALL, ids=str)
def test_every_event_has_a_row(service: Service) -> None:
    """The grid's rows are the events of the reaction table, all of them."""
    assert {type(event) for event in service.events.values()} == {row.event for row in service.table}


@pytest.mark.parametrize("service", ALL, ids=str)
def test_every_reason_can_be_read(service: Service) -> None:
    """What is ignored says why."""
    reasons = [outcome.reason for _, _, outcome in service.outcomes() if isinstance(outcome, Ignored)]
    assert all(reason.strip() for reason in reasons)


def test_every_state_of_order_has_a_column() -> None:
    """Whatever verdict and books the schema lets stand together is a column, and nothing else is."""
    schema = Schema("order")
    possible = {
        (status, stock, money)
        for status, stock, money in product(Status, StockBook, MoneyBook)
        if schema.refuses("orders", {"order_id": str(ORDER_ID), "version": 1}
                          | order_to_row(an_order(status, stock, money))) is None
    }  # fmt: skip
    columns = [state for state in ORDER.states.values() if state is not None]
    assert {(order.status, order.stock, order.money) for order in columns} == possible
    assert len(columns) == len(possible)


def test_every_state_of_inventory_has_a_column() -> None:
    """So it is with the classes of a reservation."""
    columns = [holding.reservation for holding in INVENTORY.states.values()]
    assert {type(each) for each in columns} == {type(None), *get_args(Reservation)}
    statuses = {reservation_to_row(each)["status"] for each in columns if each is not None}
    assert len(statuses) == len(get_args(Reservation))


def test_every_state_of_payment_has_a_column() -> None:
    """So it is with the classes of a payment, and each class has a status of its own, or two for what is closed."""
    columns = [payment for payment in PAYMENT.states.values() if payment is not None]
    assert {type(each) for each in columns} == set(get_args(Payment))
    assert len({payment_to_row(each)["status"] for each in columns}) == len(get_args(Payment)) + 1


def test_every_state_of_notification_has_a_column() -> None:
    """So it is with how far the two mails may be."""
    schema = Schema("notification")
    possible = {
        (confirmed, cancelled)
        for confirmed, cancelled in product(Progress, Progress)
        if schema.refuses("correspondence", {"order_id": str(ORDER_ID), "version": 1}
                          | told_to_row(told(confirmed, cancelled))) is None
    }  # fmt: skip
    columns = [each for each in NOTIFICATION.states.values() if each is not None]
    assert {(each.confirmed, each.cancelled) for each in columns} == possible


@pytest.mark.parametrize("service", ALL, ids=str)
def test_columns_may_be_stored(service: Service) -> None:
    """No column is a state that the service's own tables refuse."""
    schema = Schema(str(service))
    tables = {
        "order": ("orders", order_to_row),
        "inventory": ("reservations", reservation_to_row),
        "payment": ("payments", payment_to_row),
        "notification": ("correspondence", told_to_row),
    }
    table, to_row = tables[str(service)]
    for name, state in service.states.items():
        stored = state.reservation if service is INVENTORY else state
        if stored is not None:
            row = {"order_id": str(ORDER_ID), "version": 1, **to_row(stored)}  # type: ignore[operator]  # of its own service
            assert schema.refuses(table, row) is None, name
