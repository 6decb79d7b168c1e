"""A world in memory: one order that was confirmed, as all four services and the provider know it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from infra.audit.facts import Bounds, Entry, Line, Part, Reacted, Saga
from infra.audit.histories import HISTORIES
from services.notification.events import Mail, NotificationRecorded, NotificationSent
from services.order.events import StockBook, StockBookClosed
from services.payment.events import AmountLearned, ChargeIntended
from shared.event import Event
from shared.ids import derived_id
from tests.unit.services import builders as b

NOW = datetime(2026, 1, 2, 12, 0, 0, tzinfo=UTC)
EARLIER = NOW - timedelta(seconds=60)
ROOT = UUID("0190d1a5-0000-7000-8000-0000000000ff")

LOGS: Mapping[str, Sequence[tuple[Event, str]]] = {
    "order": (
        (b.PLACED, "order.placement_requested.v1"),
        (b.CONFIRMED, "payment.captured.v1"),
        (StockBookClosed(order_id=b.ORDER, closing=StockBook.COMMITTED), "stock.committed.v1"),
    ),
    "inventory": ((b.STOCK_RESERVED, "order.placed.v1"), (b.STOCK_COMMITTED, "order.confirmed.v1")),
    "payment": (
        (AmountLearned(order_id=b.ORDER, money=b.PRICE), "order.placed.v1"),
        (ChargeIntended(order_id=b.ORDER, money=b.PRICE), "stock.reserved.v1"),
        (b.PAYMENT_CAPTURED, "payment.charge_answered.v1"),
    ),
    "notification": (
        (NotificationRecorded(order_id=b.ORDER, mail=Mail.CONFIRMED), "order.confirmed.v1"),
        (NotificationSent(order_id=b.ORDER, mail=Mail.CONFIRMED), "notification.mail_accepted.v1"),
    ),
}
"""What each service logged, each event with the type of its cause."""


def sold(bounds: Bounds | None = None) -> Saga:
    """Give an order that stands, and breaks nothing; its last event is a minute old."""
    names = {
        event.kind.type: derived_id(_cause(service, cause), event.kind.type, "1")
        for service, log in LOGS.items()
        for event, cause in log
    }
    ledger = (Line("captured", "ch_1", b.PRICE.amount, b.PRICE.currency),)
    bounds = bounds or Bounds()
    return Saga(b.ORDER, {service: _part(service, names, bounds) for service in LOGS}, ledger, {}, bounds)


def spoilt(saga: Saga, service: str, **changes: Any) -> Saga:
    """Give an order with something else in one service's part."""
    return replace(saga, parts={**saga.parts, service: replace(saga.parts[service], **changes)})


def _cause(service: str, type_: str) -> UUID:
    """Name what caused an event: a public one as its owner's log does, a private one as nobody but its inbox knows."""
    for owner, log in LOGS.items():
        for event, cause in log:
            if event.kind.type == type_ and event.kind.public:
                return derived_id(_cause(owner, cause), type_, "1")
    return derived_id(ROOT, service, type_)


def _part(service: str, names: Mapping[str, UUID], bounds: Bounds) -> Part:
    log = tuple(
        Entry(
            derived_id(_cause(service, cause), event.kind.type, "1"),
            version,
            event.kind.type,
            event.model_dump_json(),
            event,
            _cause(service, cause),
            EARLIER,
            b.ORDER,
        )
        for version, (event, cause) in enumerate(LOGS[service], start=1)
    )
    inbox = {_cause(service, cause): Reacted(_cause(service, cause), cause, "advanced") for _, cause in LOGS[service]}
    part = Part(service, b.ORDER, NOW, version=len(log), log=log, inbox=inbox, bounds=bounds)
    state = HISTORIES[service].as_logged(part.told)
    return replace(part, state=replace(state, email=b.EMAIL) if service == "order" else state)
