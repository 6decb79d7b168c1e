"""What holds between the services, for an order that is settled for longer than a bound."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import timedelta
from uuid import UUID

from infra.audit.facts import Entry, Part, Saga
from infra.topology import TABLES
from services.inventory.state import Committed, Held
from services.order.state import Status
from shared.event import VOCABULARY
from shared.topology import dead_exchange, lanes_of
from shared.vocabulary.inventory import StockReleased
from shared.vocabulary.order import OrderCancelled
from shared.vocabulary.payment import PaymentRefunded, PaymentVoided

LANES = tuple(lane for table in TABLES for lane in lanes_of(table))
CLOSINGS = {"inventory": (StockReleased,), "payment": (PaymentVoided, PaymentRefunded)}


def sold_in_full(saga: Saga) -> Iterator[str]:
    """A confirmed order's goods are sold to it, every line of them."""
    if saga.order is None or saga.order.status is not Status.CONFIRMED:
        return
    ordered: Counter[str] = Counter()
    for line in saga.order.lines:
        ordered[line.sku] += line.quantity
    match saga.reservation:
        case Committed(lines=lines):
            sold = {line.sku: line.quantity for line in lines}
        case _:
            sold = {}
    if sold != ordered:
        yield f"it is confirmed for {goods(ordered)}, and what is sold to it is {goods(sold)}"


def goods(quantities: Mapping[str, int]) -> str:
    """Say how much of what: `1 × violin and 2 × bow`."""
    return " and ".join(f"{quantity} × {sku}" for sku, quantity in quantities.items()) or "nothing"


def nothing_held(saga: Saga) -> Iterator[str]:
    """A cancelled order holds no goods."""
    cancelled = saga.order is not None and saga.order.status is Status.CANCELLED
    if cancelled and isinstance(saga.reservation, Held | Committed):
        yield f"it is cancelled, and inventory has it as {type(saga.reservation).__name__}"


def answered_once(saga: Saga) -> Iterator[str]:
    """Every cancellation is answered once by inventory and once by payment, and nothing else is."""
    cancellations = _count(saga.parts["order"], (OrderCancelled,))
    for service, closings in CLOSINGS.items():
        if (answers := _count(saga.parts[service], closings)) != cancellations:
            yield f"{cancellations} cancellations, and {answers} closing events of {service}"


def _count(part: Part, kinds: tuple[type, ...]) -> int:
    return sum(isinstance(entry.event, kinds) for entry in part.log)


def reacted_to(saga: Saga) -> Iterator[str]:
    """What was published reached everybody who has a lane for it, or is on its way there, or is a dead letter."""
    for lane in LANES:
        owner, reader = saga.parts[lane.event.kind.owner], saga.parts[lane.service]
        dead = {letter.event_id for letter in reader.letters}
        for entry in owner.log:
            if entry.type != lane.event.kind.type or entry.event_id in reader.inbox or entry.event_id in dead:
                continue
            if not _is_remembered(saga, entry) or _is_on_its_way(saga, owner, lane.service, lane.queue, entry):
                continue
            yield f"{lane.service} never reacted to {entry.type} {entry.event_id}, which is nowhere on its way"


def _is_remembered(saga: Saga, entry: Entry) -> bool:
    return entry.occurred_at > saga.began - timedelta(seconds=saga.bounds.inbox_sure_s)


def _is_on_its_way(saga: Saga, owner: Part, service: str, queue: str, entry: Entry) -> bool:
    """Tell whether it may lie in an outbox, its lane, among the retries, or in a dead-letter queue: if it is young."""
    young = entry.occurred_at > saga.began - timedelta(seconds=saga.bounds.overdue_s)
    waiting = (queue, dead_exchange(service))
    somewhere = any(
        count and (name in waiting or name.startswith(f"{service}.delay.")) for name, count in saga.lanes.items()
    )
    return young and (entry.event_id in owner.outbox or somewhere)


def told_by_its_owner(saga: Saga) -> Iterator[str]:
    """Nobody acted on an event that its owner never logged."""
    logged = {entry.event_id for part in saga.parts.values() for entry in part.log}
    for part in saga.parts.values():
        for cause, type_ in _causes(part).items():
            if cause not in logged and _is_public(type_):
                yield f"{part.service} acted on {type_} {cause}, which nobody logged"


def _causes(part: Part) -> Mapping[UUID, str]:
    """Give what a log was caused by, with its type, where the inbox knows it."""
    causes = {entry.causation_id for entry in part.log}
    return {event_id: row.type for event_id, row in part.inbox.items() if event_id in causes}


def _is_public(type_: str) -> bool:
    event = VOCABULARY.get(type_)
    return event is not None and event.kind.public
